// Timers of all strands, kept by one thread.
#pragma once

#include <memory>

#include "env/clock.h"

namespace quorate::env {

// Owns one thread, named "timers", that sleeps until the next timer is due and posts its task. A
// timer costs O(log n) to make, to fire and to cancel. Safe from any thread. Timers may outlive
// this object; those that have not fired by then never do.
class PosixTimers final : public Timers {
 public:
  PosixTimers();
  ~PosixTimers() override;

  PosixTimers(const PosixTimers&) = delete;
  PosixTimers& operator=(const PosixTimers&) = delete;

  // A delay of zero or less is due at once.
  [[nodiscard]] std::unique_ptr<Timer> After(std::chrono::nanoseconds delay, Strand& strand,
                                             Task task) override;

 private:
  class Wheel;
  class Handle;

  std::shared_ptr<Wheel> wheel_;
};

}  // namespace quorate::env
