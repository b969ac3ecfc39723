// Time and timers, as interfaces, so that the simulator can own them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "env/strand.h"

namespace quorate::env {

class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes back; its zero means nothing.
  virtual std::chrono::nanoseconds Monotonic() const = 0;

  // Since 1970-01-01 UTC; may jump. For records that people read, never for decisions.
  virtual std::chrono::microseconds WallUnix() const = 0;
};

// A pending timer. Destroying it cancels: on the timer's own strand, the task then never runs; from
// elsewhere it may just be running.
class Timer {
 public:
  virtual ~Timer() = default;
};

class Timers {
 public:
  virtual ~Timers() = default;

  // Posts `task` to `strand` once `delay` has passed. `strand` outlives the timer.
  [[nodiscard]] virtual std::unique_ptr<Timer> After(std::chrono::nanoseconds delay, Strand& strand,
                                                     Task task) = 0;
};

}  // namespace quorate::env
