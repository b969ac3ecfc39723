// Exchange: one request and its answer, as a handler sees them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/internal/asio.h"
#include "http/internal/request_body.h"
#include "http/internal/response_writer.h"

namespace quorate::http {

// The head of a request, checked by the transport. Views live as long as the exchange.
class RequestHead {
 public:
  explicit RequestHead(const RequestParser& parser) : message_(parser.get()) {}

  std::string_view method() const;  // As sent: "GET".
  std::string_view target() const;  // Origin form: "/a/b.git/info/refs?service=..."
  // The header's value, or "". `name` in any case.
  std::string_view Find(std::string_view name) const;

 private:
  const RequestParser::value_type& message_;
};

// What the handler adds to the access log.
struct ExchangeNotes {
  std::string service = "other";
  std::string repository;
  std::string session;  // The client's session id, sanitised.
  std::string by;       // Of a fetch: what answered it, "memory" or "process".
};

class Exchange {
 public:
  // `client_address` outlives it. `on_abort` is set to what the connection's owner calls when he
  // closes the connection.
  Exchange(Stream& stream, beast::flat_buffer& buffer, std::function<void()>& on_abort,
           std::string_view client_address, const RequestParser& parser, RequestBody& body,
           ResponseWriter& response)
      : stream_(stream),
        buffer_(buffer),
        on_abort_(on_abort),
        client_address_(client_address),
        head_(parser),
        body_(body),
        response_(response) {}

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const RequestHead& head() const { return head_; }
  RequestBody& body() { return body_; }
  ResponseWriter& response() { return response_; }
  ExchangeNotes& notes() { return notes_; }
  // Of the connection's other end, without the port. Proxies' headers are not believed.
  std::string_view client_address() const { return client_address_; }

  // Ends a Read() of the body that waits in another coroutine; the connection ends with this
  // exchange.
  void StopReading();

  // While it lives: calls `on_gone` once, on the connection's executor, when the client closes the
  // connection, as far as that can be seen (not once it has sent more), or a stop of the server
  // does. REQUIRES: the body was read to its end, and nothing reads from the connection.
  class GoneWatch {
   public:
    virtual ~GoneWatch() = default;
  };
  [[nodiscard]] std::unique_ptr<GoneWatch> WatchGone(std::function<void()> on_gone);

 private:
  Stream& stream_;
  beast::flat_buffer& buffer_;
  std::function<void()>& on_abort_;
  const std::string_view client_address_;
  RequestHead head_;
  RequestBody& body_;
  ResponseWriter& response_;
  ExchangeNotes notes_;
};

// Answers one request. The exchange outlives the coroutine. Whatever it leaves undone (no answer,
// an unfinished one, an exception) ends the connection.
using Handler = std::function<Awaitable<void>(Exchange& exchange)>;

}  // namespace quorate::http
