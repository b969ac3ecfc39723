// Pace: how far a client is behind the rate at which it must read an answer, or send a body, at
// least.
//
// Our own time does not count, only time in which the client could have gone on. Being faster than
// need be is not saved up: a client that stops is cut off after the grace, however much it took
// before, because a process and its place may wait for it. A value.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace quorate::http {

class Pace {
 public:
  Pace(std::uint64_t bytes_per_second_min, std::chrono::milliseconds grace)
      : bytes_per_second_min_(std::max<std::uint64_t>(1, bytes_per_second_min)), grace_(grace) {}

  // How long the client may take for the next `bytes`. Never 0.
  std::chrono::milliseconds Allowance(std::size_t bytes) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(grace_ + Due(bytes) - behind_);
    return std::max(left, std::chrono::milliseconds(1));
  }

  // It took, or sent, `bytes` within `time`.
  void Count(std::size_t bytes, std::chrono::nanoseconds time) {
    behind_ = std::max(std::chrono::nanoseconds(0), behind_ + time - Due(bytes));
  }

 private:
  std::chrono::nanoseconds Due(std::size_t bytes) const {
    return std::chrono::milliseconds(bytes * 1000 / bytes_per_second_min_);
  }

  const std::uint64_t bytes_per_second_min_;
  const std::chrono::milliseconds grace_;
  std::chrono::nanoseconds behind_{0};
};

}  // namespace quorate::http
