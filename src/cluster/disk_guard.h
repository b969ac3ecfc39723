// DiskGuard: whether there is room for another push.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "env/clock.h"
#include "env/file_system.h"

namespace quorate::cluster {

struct DiskGuardOptions {
  std::string path;                  // Whose file system is watched.
  std::uint64_t free_bytes_min = 0;  // What is kept free; 0 keeps nothing.
  std::chrono::nanoseconds sample_age_max = std::chrono::milliseconds(200);
};

// Safe from any thread. One caller in a while asks the system; the others use his answer.
class DiskGuard {
 public:
  // `files` and `clock` outlive it.
  DiskGuard(DiskGuardOptions options, env::FileSystem& files, const env::Clock& clock)
      : options_(std::move(options)), files_(files), clock_(clock) {}

  // kResourceExhausted: "disk is almost full: N MiB free, M MiB are kept". Ok again as soon as
  // there is room again, or when the system does not say how much there is.
  Status Check() const;

 private:
  std::uint64_t Free() const;

  const DiskGuardOptions options_;
  env::FileSystem& files_;
  const env::Clock& clock_;

  static constexpr std::int64_t kNever = -1;
  mutable std::atomic<std::int64_t> sampled_at_{kNever};  // Nanoseconds; claims the next sample.
  mutable std::atomic<std::uint64_t> free_{UINT64_MAX};
};

}  // namespace quorate::cluster
