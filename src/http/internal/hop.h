// From callbacks and thread pools to coroutines and back.
//
// A coroutine that awaits one of these stays suspended until the result is there, on its own
// executor again; what its frame holds may be referred to by the work. There is no cancellation:
// the work always ends, and whoever wants it to end sooner makes it so (kills the child, closes the
// socket).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/callback.h"
#include "env/strand.h"
#include "http/internal/asio.h"
#include "http/internal/context_life.h"

namespace quorate::http {

// To a coroutine's executor, from a thread that is not of its context.
class WayBack {
 public:
  explicit WayBack(const asio::any_io_executor& executor)
      : context_(ContextLife::Hold(executor)), executor_(executor) {}

  // What is posted may end the coroutine, and with it the context's owner, before this returns.
  template <class Work>
  void Post(Work work) {
    asio::post(executor_, std::move(work));
  }

 private:
  std::shared_ptr<asio::io_context> context_;  // Before what lives in it.
  asio::any_io_executor executor_;
};

// Calls `start(Callback<T>)` and yields what the callback gets. It may be called on any thread,
// also inline.
template <class T, class Start>
Awaitable<T> AwaitCallback(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
      [](auto handler, Start begin) {
        WayBack back(asio::get_associated_executor(handler));
        begin(Callback<T>([back = std::move(back), handler = std::move(handler)](T value) mutable {
          back.Post([handler = std::move(handler), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        }));
      },
      asio::use_awaitable, std::move(start));
}

// Runs `work` on a pool whose threads may block, and yields its result.
template <class Work>
Awaitable<std::invoke_result_t<Work&>> OnPool(env::StrandPool& pool, Work work) {
  using T = std::invoke_result_t<Work&>;
  return AwaitCallback<T>([&pool, work = std::move(work)](Callback<T> done) mutable {
    pool.Post(
        [work = std::move(work), done = std::move(done)]() mutable { std::move(done)(work()); });
  });
}

// As AwaitCallback, and calls `tick` each time another `period` has passed without the result.
template <class T, class Start>
Awaitable<T> AwaitWithTicks(std::chrono::milliseconds period, std::function<Awaitable<void>()> tick,
                            Start start) {
  struct State {
    explicit State(const asio::any_io_executor& executor) : back(executor), timer(executor) {}
    WayBack back;  // Before the timer, which lives in its context.
    asio::steady_timer timer;
    std::optional<T> result;
  };
  auto state = std::make_shared<State>(co_await asio::this_coro::executor);
  start(Callback<T>([state](T value) mutable {
    state->back.Post([state, value = std::move(value)]() mutable {
      state->result.emplace(std::move(value));
      state->timer.cancel();
    });
  }));
  while (!state->result.has_value()) {
    error_code waited;
    state->timer.expires_after(period);
    co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, waited));
    if (!waited && !state->result.has_value()) {
      co_await tick();
    }
  }
  co_return std::move(*state->result);
}

}  // namespace quorate::http
