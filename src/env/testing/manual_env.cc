#include "env/testing/manual_env.h"

#include "base/check.h"

namespace quorate::env {

class ManualEnv::ManualStrand final : public Strand {
 public:
  explicit ManualStrand(ManualEnv& env) : env_(env), queue_(std::make_shared<Queue>()) {}

  void Post(Task task) override {
    queue_->tasks.push_back(std::move(task));
    env_.ready_.push_back(queue_);
  }

  void AssertCurrent() const override { QUORATE_CHECK(queue_->running); }

 private:
  ManualEnv& env_;
  std::shared_ptr<Queue> queue_;
};

class ManualEnv::ManualTimer final : public Timer {
 public:
  ManualTimer(std::shared_ptr<TimerState> state,
              std::pair<std::chrono::nanoseconds, std::uint64_t> key)
      : state_(std::move(state)), key_(key) {}
  ~ManualTimer() override { state_->pending.erase(key_); }
  ManualTimer(const ManualTimer&) = delete;
  ManualTimer& operator=(const ManualTimer&) = delete;

 private:
  std::shared_ptr<TimerState> state_;
  std::pair<std::chrono::nanoseconds, std::uint64_t> key_;
};

std::unique_ptr<Strand> ManualEnv::NewStrand() {
  return std::make_unique<ManualStrand>(*this);
}

void ManualEnv::Post(Task task) {
  auto queue = std::make_shared<Queue>();
  queue->tasks.push_back(std::move(task));
  ready_.push_back(std::move(queue));
}

std::chrono::microseconds ManualEnv::WallUnix() const {
  constexpr std::chrono::seconds kEpoch{1'700'000'000};
  return kEpoch + std::chrono::duration_cast<std::chrono::microseconds>(now_);
}

std::unique_ptr<Timer> ManualEnv::After(std::chrono::nanoseconds delay, Strand& strand, Task task) {
  const std::pair key{now_ + delay, timers_made_++};
  timers_->pending.emplace(key, Due{.strand = &strand, .task = std::move(task)});
  return std::make_unique<ManualTimer>(timers_, key);
}

bool ManualEnv::RunOne() {
  if (ready_.empty()) {
    return false;
  }
  const std::size_t index = schedule_ ? schedule_->Below(ready_.size()) : 0;
  const std::shared_ptr<Queue> queue = ready_[index];
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(index));
  QUORATE_CHECK(!queue->running);
  QUORATE_CHECK(!queue->tasks.empty());
  Task task = std::move(queue->tasks.front());
  queue->tasks.pop_front();
  queue->running = true;
  std::move(task)();
  queue->running = false;
  return true;
}

void ManualEnv::RunUntilIdle() {
  constexpr int kTasksMax = 10'000'000;
  int tasks = 0;
  while (RunOne()) {
    QUORATE_CHECK(++tasks < kTasksMax);
  }
}

void ManualEnv::Advance(std::chrono::nanoseconds by) {
  const std::chrono::nanoseconds end = now_ + by;
  RunUntilIdle();
  while (PostNextDue(end)) {
    RunUntilIdle();
  }
  now_ = end;
}

void ManualEnv::Pass(std::chrono::nanoseconds by) {
  const std::chrono::nanoseconds end = now_ + by;
  while (PostNextDue(end)) {
  }
  now_ = end;
}

// False if no timer is due by then.
bool ManualEnv::PostNextDue(std::chrono::nanoseconds end) {
  if (timers_->pending.empty() || timers_->pending.begin()->first.first > end) {
    return false;
  }
  auto node = timers_->pending.extract(timers_->pending.begin());
  now_ = node.key().first;
  node.mapped().strand->Post(std::move(node.mapped().task));
  return true;
}

}  // namespace quorate::env
