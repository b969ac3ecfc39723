#include "load/statistics.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"

namespace quorate::bench {

void Latencies::Append(const Latencies& other) {
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  sorted_ = false;
}

std::chrono::nanoseconds Latencies::Quantile(double fraction) {
  QUORATE_CHECK(!values_.empty());
  if (!sorted_) {
    std::ranges::sort(values_);
    sorted_ = true;
  }
  const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(values_.size()));
  return std::chrono::nanoseconds(values_[std::min(rank, values_.size() - 1)]);
}

std::string Report::ToJson() {
  nlohmann::ordered_json json = {{"work", work},       {"operations", operations},
                                 {"refused", refused}, {"failed", failed},
                                 {"bytes", bytes},     {"seconds", seconds}};
  json["rate"] = seconds > 0 ? static_cast<double>(operations) / seconds : 0.0;
  if (latencies.count() > 0) {
    const auto micros = [this](double fraction) {
      return static_cast<double>(latencies.Quantile(fraction).count()) / 1000.0;
    };
    json["p50_us"] = micros(0.5);
    json["p99_us"] = micros(0.99);
    json["p999_us"] = micros(0.999);
  }
  if (!first_failure.empty()) {
    json["first_failure"] = first_failure;
  }
  return json.dump();
}

}  // namespace quorate::bench
