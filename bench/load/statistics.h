// Latencies of many operations, and what a report says of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace quorate::bench {

class Latencies {
 public:
  void Add(std::chrono::nanoseconds latency) { values_.push_back(latency.count()); }
  void Append(const Latencies& other);

  std::size_t count() const { return values_.size(); }
  // The smallest latency that `fraction` of all operations did not exceed. REQUIRES: count() > 0.
  std::chrono::nanoseconds Quantile(double fraction);

 private:
  std::vector<std::int64_t> values_;
  bool sorted_ = false;
};

struct Report {
  std::string work;
  std::uint64_t operations = 0;
  std::uint64_t refused = 0;  // Answered, but not with success.
  std::uint64_t failed = 0;   // No answer.
  std::string first_failure;
  std::uint64_t bytes = 0;  // Of answers.
  double seconds = 0;
  Latencies latencies;

  // One JSON object on one line: operations, refused, failed, rate, p50_us, p99_us, p999_us, bytes
  // ...
  std::string ToJson();
};

}  // namespace quorate::bench
