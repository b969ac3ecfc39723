// The machine's clocks: CLOCK_MONOTONIC for decisions, CLOCK_REALTIME for records.
#pragma once

#include "env/clock.h"

namespace quorate::env {

// Without state; safe from any thread.
class PosixClock final : public Clock {
 public:
  std::chrono::nanoseconds Monotonic() const override;
  std::chrono::microseconds WallUnix() const override;
};

}  // namespace quorate::env
