// Connection: one client's TCP connection, request after request.
//
//   idle ── first byte ──► header ──► checks ──► handler ──► rest of the body dropped ──► idle ...
//
// Framing is strict, so that no proxy before us can see other request borders than we do: a request
// with a length that could be read in two ways is refused and the connection closed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/internal/asio.h"
#include "http/internal/exchange.h"
#include "http/internal/transport.h"

namespace quorate::http {

// Everything runs on the strand of the stream's executor, but for what is marked "any thread".
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // All outlive it.
  Connection(Stream stream, const TransportOptions& options, const TransportDeps& deps,
             const Handler& handler);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::any_io_executor executor() { return stream_.get_executor(); }

  // Serves until the client leaves, a limit is reached or a drain is asked for.
  Awaitable<void> Run();
  // Tells the client that there is no room for it.
  Awaitable<void> Refuse();

  // Any thread. No further request is taken; an idle connection ends at once.
  void Drain();
  // Any thread. Ends it in whatever it does.
  void Abort();

 private:
  struct Refusal {
    unsigned status;
    std::string_view message;
  };

  Awaitable<bool> WaitForRequest();
  Awaitable<bool> ServeOne();
  Awaitable<bool> ReadHead(RequestParser& parser);
  Awaitable<void> Handle(Exchange& exchange);
  Awaitable<bool> EndOfRequest(RequestBody& body, ResponseWriter& response);
  Awaitable<void> RefuseRequest(Refusal refusal, bool http_1_0);
  Awaitable<void> CloseLingering();
  static std::optional<Refusal> CheckFraming(const RequestParser& parser);
  void LogFailure(std::string_view error);
  void LogRefusal(const Refusal& refusal);
  void LogAccess(Exchange& exchange, std::chrono::nanoseconds began);

  Stream stream_;
  const TransportOptions& options_;
  const TransportDeps& deps_;
  const Handler& handler_;
  std::string address_;  // The client's ...
  std::string peer_;     // ... and with its port, for the log.

  beast::flat_buffer buffer_;
  std::function<void()> on_abort_;  // Of the exchange under way; may be empty.
  bool idle_ = false;
  bool draining_ = false;
};

}  // namespace quorate::http
