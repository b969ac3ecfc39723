// Randomness from the kernel.
#pragma once

#include <cstddef>
#include <mutex>

#include "env/random.h"

namespace quorate::env {

// getrandom(2), fetched a few hundred bytes at a time. Safe from any thread, not across fork(). The
// process ends should the kernel have none to give: ids that repeat would be worse.
class PosixRandom final : public Random {
 public:
  std::uint64_t Next() override;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 32> words_{};
  std::size_t left_ = 0;  // Of words_, counted from its begin.
};

}  // namespace quorate::env
