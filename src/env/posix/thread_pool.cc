#include "env/posix/thread_pool.h"

#include <fmt/format.h>
#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace quorate::env {

// What the threads share. Strands hold it too, so that a late Post() finds a stopped queue rather
// than freed memory.
class ThreadPool::Queue {
 public:
  void Start(const ThreadPoolOptions& options) {
    for (int i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this, name = fmt::format("{}-{}", options.name, i)] {
        pthread_setname_np(pthread_self(), name.c_str());
        Run();
      });
    }
  }

  void Post(Task task) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return;
      }
      tasks_.push_back(std::move(task));
      wake = WantsThread();
    }
    if (wake) {
      ready_.notify_one();
    }
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      while (tasks_.empty() && !stopping_) {
        ++idle_;
        ready_.wait(lock);
        --idle_;
        waking_ = false;
      }
      if (tasks_.empty()) {
        return;
      }
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      const bool wake = !tasks_.empty() && WantsThread();
      lock.unlock();
      if (wake) {
        ready_.notify_one();
      }
      std::move(task)();
      task = nullptr;  // What it captured is destroyed outside the lock.
      lock.lock();
    }
  }

  // One thread is woken at a time, and wakes the next if there is more than it can take: a burst of
  // posts costs a few system calls, not one each. REQUIRES: mutex_ is held, a task waits. Whoever
  // gets true notifies.
  bool WantsThread() { return idle_ > 0 && !std::exchange(waking_, true); }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> tasks_;
  int idle_ = 0;
  bool waking_ = false;  // A thread was notified and is not up yet.
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

// A strand is a queue that is in the pool's queue at most once. After a burst of tasks it goes to
// the back, so that thousands of strands share the threads fairly.
class ThreadPool::PoolStrand final : public Strand {
 public:
  explicit PoolStrand(std::shared_ptr<Queue> queue) : state_(std::make_shared<State>()) {
    state_->queue = std::move(queue);
  }

  void Post(Task task) override {
    bool wake = false;
    {
      const std::lock_guard lock(state_->mutex);
      state_->tasks.push_back(std::move(task));
      wake = !std::exchange(state_->scheduled, true);
    }
    if (wake) {
      Schedule(state_);
    }
  }

  void AssertCurrent() const override {
    QUORATE_CHECK(state_->runner == std::this_thread::get_id());
  }

 private:
  static constexpr int kBurst = 64;

  struct State {
    std::shared_ptr<Queue> queue;
    std::mutex mutex;
    std::deque<Task> tasks;
    bool scheduled = false;
    std::atomic<std::thread::id> runner{};
  };

  static void Schedule(const std::shared_ptr<State>& state) {
    state->queue->Post([state] { RunBurst(state); });
  }

  static void RunBurst(const std::shared_ptr<State>& state) {
    state->runner = std::this_thread::get_id();
    for (int i = 0; i < kBurst; ++i) {
      Task task;
      {
        const std::lock_guard lock(state->mutex);
        if (state->tasks.empty()) {
          state->runner = std::thread::id();
          state->scheduled = false;
          return;
        }
        task = std::move(state->tasks.front());
        state->tasks.pop_front();
      }
      std::move(task)();
    }
    state->runner = std::thread::id();
    Schedule(state);
  }

  std::shared_ptr<State> state_;
};

ThreadPool::ThreadPool(const ThreadPoolOptions& options) : queue_(std::make_shared<Queue>()) {
  QUORATE_CHECK(options.threads > 0);
  QUORATE_CHECK(options.name.size() <= 12);
  queue_->Start(options);
}

ThreadPool::~ThreadPool() {
  Stop();
}

std::unique_ptr<Strand> ThreadPool::NewStrand() {
  return std::make_unique<PoolStrand>(queue_);
}

void ThreadPool::Post(Task task) {
  queue_->Post(std::move(task));
}

void ThreadPool::Stop() {
  queue_->Stop();
}

}  // namespace quorate::env
