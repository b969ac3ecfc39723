// How far back a partition knows what was written, and by whom: see internal::ConflictWindow.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace quorate::txn {

// Beyond the maxima a snapshot is too old, even one in use.
struct WindowBounds {
  std::size_t bytes_max = 64 << 20;
  std::uint64_t entries_max = 1 << 20;  // Between the oldest snapshot and what is applied.
  std::chrono::microseconds age_max = std::chrono::minutes(10);  // By the time in the entries.
  // The tail: so many of the last applied entries, unless they have more bytes in the log.
  std::uint64_t tail_entries = 128;
  std::size_t tail_log_bytes = 1 << 20;
};

}  // namespace quorate::txn
