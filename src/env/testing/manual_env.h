// A world in one thread: strands, timers, clock and randomness that a test drives by hand.
//
// Tasks run only inside RunUntilIdle() and Advance(). With a seed, the next strand to run is drawn
// at random among those that have work (each strand keeps its own order), so that a test sees
// schedules that a thread pool would seldom show; without, strands run first come, first served.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "env/clock.h"
#include "env/random.h"
#include "env/strand.h"

namespace quorate::env {

class ManualEnv final : public StrandPool, public Clock, public Timers, public Random {
 public:
  ManualEnv() = default;
  explicit ManualEnv(std::uint64_t seed) : schedule_(Prng(seed)), random_(seed + 1) {}
  ~ManualEnv() override = default;

  std::unique_ptr<Strand> NewStrand() override;
  void Post(Task task) override;

  std::chrono::nanoseconds Monotonic() const override { return now_; }
  std::chrono::microseconds WallUnix() const override;
  std::unique_ptr<Timer> After(std::chrono::nanoseconds delay, Strand& strand, Task task) override;
  std::uint64_t Next() override { return random_.Next(); }

  // Runs one task; false if there was none.
  bool RunOne();
  // Runs tasks until none is left. Time stands still. Aborts after ten million tasks: a livelock.
  void RunUntilIdle();
  // Moves time on, firing timers in their order and running everything in between.
  void Advance(std::chrono::nanoseconds by);
  // Moves time on and posts what is due by then; nothing runs.
  void Pass(std::chrono::nanoseconds by);

 private:
  class ManualStrand;
  struct Queue {
    std::deque<Task> tasks;
    bool running = false;
  };
  struct Due {
    Strand* strand;
    Task task;
  };
  struct TimerState {
    std::map<std::pair<std::chrono::nanoseconds, std::uint64_t>, Due> pending;
  };
  class ManualTimer;

  bool PostNextDue(std::chrono::nanoseconds end);

  std::optional<Prng> schedule_;
  Prng random_{1};
  std::chrono::nanoseconds now_{0};
  std::uint64_t timers_made_ = 0;
  std::shared_ptr<TimerState> timers_ = std::make_shared<TimerState>();
  std::deque<std::shared_ptr<Queue>> ready_;  // One mention per task.
};

}  // namespace quorate::env
