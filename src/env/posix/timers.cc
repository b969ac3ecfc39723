#include "env/posix/timers.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace quorate::env {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

// About 30 years: far enough for "never", near enough not to overflow a time point.
constexpr std::chrono::nanoseconds kDelayMax = std::chrono::hours(24 * 365 * 30);

// What the timer and the task on its way to the strand share.
struct Shot {
  std::atomic<bool> cancelled = false;
  Task task;
};

}  // namespace

// What is pending, in the order in which it is due. Handles hold it too, so that they may outlive
// the thread.
class PosixTimers::Wheel {
 public:
  using Key = std::pair<TimePoint, std::uint64_t>;  // The number tells equal times apart.

  void Start() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "timers");
      Run();
    });
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Key Add(TimePoint due, Strand& strand, std::shared_ptr<Shot> shot) {
    const std::lock_guard lock(mutex_);
    const Key key{due, made_++};
    const auto added = pending_.emplace(key, Due{&strand, std::move(shot)}).first;
    if (added == pending_.begin()) {
      changed_.notify_all();
    }
    return key;
  }

  // Once it returns, the timer's strand is not touched any more.
  void Remove(const Key& key) {
    const std::lock_guard lock(mutex_);
    pending_.erase(key);
  }

 private:
  struct Due {
    Strand* strand;
    std::shared_ptr<Shot> shot;
  };

  void Run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (pending_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const TimePoint next = pending_.begin()->first.first;
      if (std::chrono::steady_clock::now() < next) {
        changed_.wait_until(lock, next);
        continue;
      }
      const Due due = std::move(pending_.begin()->second);
      pending_.erase(pending_.begin());
      // Posted under the lock: whoever cancels a timer may destroy its strand right afterwards.
      due.strand->Post([shot = due.shot] {
        if (!shot->cancelled) {
          std::move(shot->task)();
        }
      });
    }
  }

  std::mutex mutex_;  // Taken before a strand's own; nothing is taken before it.
  std::condition_variable changed_;
  std::map<Key, Due> pending_;
  std::uint64_t made_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

class PosixTimers::Handle final : public Timer {
 public:
  Handle(std::shared_ptr<Wheel> wheel, Wheel::Key key, std::shared_ptr<Shot> shot)
      : wheel_(std::move(wheel)), key_(key), shot_(std::move(shot)) {}

  // The task itself goes with the last holder of the shot, never under the wheel's lock: what it
  // captured may own timers.
  ~Handle() override {
    shot_->cancelled = true;
    wheel_->Remove(key_);
  }

 private:
  const std::shared_ptr<Wheel> wheel_;
  const Wheel::Key key_;
  const std::shared_ptr<Shot> shot_;
};

PosixTimers::PosixTimers() : wheel_(std::make_shared<Wheel>()) {
  wheel_->Start();
}

PosixTimers::~PosixTimers() {
  wheel_->Stop();
}

std::unique_ptr<Timer> PosixTimers::After(std::chrono::nanoseconds delay, Strand& strand,
                                          Task task) {
  const auto shot = std::make_shared<Shot>();
  shot->task = std::move(task);
  const TimePoint due = std::chrono::steady_clock::now() + std::min(delay, kDelayMax);
  return std::make_unique<Handle>(wheel_, wheel_->Add(due, strand, shot), shot);
}

}  // namespace quorate::env
