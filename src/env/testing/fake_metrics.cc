#include "env/testing/fake_metrics.h"

#include <fmt/format.h>

#include "base/check.h"

namespace quorate::env {

// All three kinds in one: what differs is only how they are written.
class FakeMetrics::Instrument final : public Counter, public Gauge, public Histogram {
 public:
  void Add(double amount) override {
    const std::lock_guard lock(mutex_);
    value_ += amount;
  }
  void Set(double value) override {
    const std::lock_guard lock(mutex_);
    value_ = value;
  }
  void Observe(double value) override {
    const std::lock_guard lock(mutex_);
    value_ += value;
    ++observations_;
  }

  double value() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  int observations() const {
    const std::lock_guard lock(mutex_);
    return observations_;
  }

 private:
  mutable std::mutex mutex_;
  double value_ = 0;
  int observations_ = 0;
};

FakeMetrics::FakeMetrics() = default;
FakeMetrics::~FakeMetrics() = default;

FakeMetrics::Instrument& FakeMetrics::Find(const std::string& name, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Instrument>& instrument = instruments_[{name, labels}];
  if (instrument == nullptr) {
    instrument = std::make_unique<Instrument>();
  }
  return *instrument;
}

Counter& FakeMetrics::GetCounter(const std::string& name, const std::string& /*help*/,
                                 const Labels& labels) {
  return Find(name, labels);
}

Gauge& FakeMetrics::GetGauge(const std::string& name, const std::string& /*help*/,
                             const Labels& labels) {
  return Find(name, labels);
}

Histogram& FakeMetrics::GetHistogram(const std::string& name, const std::string& /*help*/,
                                     const Labels& labels, const std::vector<double>& bounds) {
  QUORATE_CHECK(!bounds.empty());
  return Find(name, labels);
}

void FakeMetrics::RemoveGauge(const std::string& name, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  instruments_.erase({name, labels});
}

std::string FakeMetrics::Render() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& [key, instrument] : instruments_) {
    std::string labels;
    for (const auto& [label, value] : key.second) {
      labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", label, value);
    }
    text += fmt::format("{}{{{}}} {}\n", key.first, labels, instrument->value());
  }
  return text;
}

std::optional<double> FakeMetrics::Value(const std::string& name, const Labels& labels) const {
  const std::lock_guard lock(mutex_);
  const auto found = instruments_.find({name, labels});
  if (found == instruments_.end()) {
    return std::nullopt;
  }
  return found->second->value();
}

int FakeMetrics::Observations(const std::string& name, const Labels& labels) const {
  const std::lock_guard lock(mutex_);
  const auto found = instruments_.find({name, labels});
  return found == instruments_.end() ? 0 : found->second->observations();
}

}  // namespace quorate::env
