#include "http/internal/child_gate.h"

#include <fmt/format.h>

namespace quorate::http {

Awaitable<Result<ChildGate::Permit>> ChildGate::Acquire() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  std::shared_ptr<Waiter> waiter;
  {
    const std::lock_guard lock(mutex_);
    if (running_ < options_.running_max) {
      running_ += 1;
      running_gauge_.Add(1);
      co_return Permit(*this);
    }
    if (waiting_.size() >= options_.waiting_max) {
      co_return Error(Code::kUnavailable, fmt::format("too many {} wait already", options_.what));
    }
    waiter = std::make_shared<Waiter>(executor);
    waiter->timer.expires_after(options_.wait_max);
    waiting_.push_back(waiter);
  }
  error_code waited;
  co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, waited));
  const std::lock_guard lock(mutex_);
  if (waiter->granted) {
    co_return Permit(*this);
  }
  waiting_.remove(waiter);
  co_return Error(Code::kUnavailable, fmt::format("too many {} are running", options_.what));
}

// The place goes to the first who waits, if any does.
void ChildGate::Release() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    running_ -= 1;
    running_gauge_.Add(-1);
    return;
  }
  const std::shared_ptr<Waiter> next = waiting_.front();
  waiting_.pop_front();
  next->granted = true;
  asio::post(next->executor, [next] { next->timer.cancel(); });
}

}  // namespace quorate::http
