#include "env/posix/clock.h"

namespace quorate::env {

std::chrono::nanoseconds PosixClock::Monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

std::chrono::microseconds PosixClock::WallUnix() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace quorate::env
