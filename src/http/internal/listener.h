// Listener: threads, the listening socket, and the connections that are open.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/callback.h"
#include "base/result.h"
#include "http/internal/exchange.h"
#include "http/internal/transport.h"

namespace quorate::http {

// Owns its threads. Safe from any thread but its own.
class Listener {
 public:
  // Listens when it returns. `deps` outlives it. `handler` runs on its threads and must not block.
  // kInvalidArgument: not an address; kUnavailable: it cannot be listened on.
  static Result<std::unique_ptr<Listener>> Start(TransportOptions options, TransportDeps deps,
                                                 Handler handler);
  // Stops at once if Stop() was not called.
  ~Listener();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const;

  // Refuses new connections, closes idle ones, lets running requests end. Those that did not after
  // `drain` are made to by `give_up`: what they wait for is answered. Their connections are closed
  // soon after, so that no client can hold them up, and their handlers waited for. Blocks.
  void Stop(std::chrono::milliseconds drain, Callback<> give_up);

 private:
  class Impl;
  explicit Listener(std::shared_ptr<Impl> impl);

  std::shared_ptr<Impl> impl_;
};

}  // namespace quorate::http
