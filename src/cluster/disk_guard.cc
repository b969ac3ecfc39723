#include "cluster/disk_guard.h"

#include <fmt/format.h>

namespace quorate::cluster {

Status DiskGuard::Check() const {
  const std::uint64_t free = Free();
  if (free >= options_.free_bytes_min) {
    return Ok();
  }
  return Error(Code::kResourceExhausted,
               fmt::format("disk is almost full: {} MiB free, {} MiB are kept", free >> 20,
                           options_.free_bytes_min >> 20));
}

std::uint64_t DiskGuard::Free() const {
  const std::int64_t now = clock_.Monotonic().count();
  std::int64_t last = sampled_at_;
  const bool fresh = last != kNever && now - last < options_.sample_age_max.count();
  if (!fresh && sampled_at_.compare_exchange_strong(last, now)) {
    const Result<std::uint64_t> free = files_.SpaceAvailable(options_.path);
    free_ = free ? *free : UINT64_MAX;  // A guess must not stop a node that can still write.
  }
  return free_;
}

}  // namespace quorate::cluster
