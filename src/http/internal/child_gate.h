// ChildGate: how many children run at the same time, and who waits for a place.
//
// Safe from any thread. First come, first served. Outlives its permits and waiters.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/callback.h"
#include "base/result.h"
#include "env/metrics.h"
#include "http/internal/asio.h"

namespace quorate::http {

struct ChildGateOptions {
  std::size_t running_max = 16;
  std::size_t waiting_max = 256;
  std::chrono::milliseconds wait_max{60'000};
  std::string_view what = "fetches";  // For messages: a constant.
};

class ChildGate {
 public:
  // One running child's place; given back when destroyed.
  class Permit {
   public:
    explicit Permit(ChildGate& gate) : gate_(&gate) {}
    Permit(Permit&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (gate_ != nullptr) {
        gate_->Release();
      }
    }

   private:
    ChildGate* gate_;
  };

  ChildGate(ChildGateOptions options, env::Gauge& running)
      : options_(options), running_gauge_(running) {}

  ChildGate(const ChildGate&) = delete;
  ChildGate& operator=(const ChildGate&) = delete;

  // kUnavailable: too many wait already, or no place became free in time.
  Awaitable<Result<Permit>> Acquire();

 private:
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& waiter_executor)
        : executor(waiter_executor), timer(waiter_executor) {}
    const asio::any_io_executor executor;
    asio::steady_timer timer;  // Used on the executor only.
    bool granted = false;      // By the gate's mutex.
  };

  void Release();

  const ChildGateOptions options_;
  env::Gauge& running_gauge_;

  std::mutex mutex_;  // Guards what follows.
  std::size_t running_ = 0;
  std::list<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace quorate::http
