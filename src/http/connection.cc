#include "http/internal/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/beast/http/read.hpp>
#include <exception>
#include <utility>

#include "base/bytes.h"

namespace quorate::http {
namespace {

namespace beast_http = beast::http;

constexpr std::size_t kIdleBufferBytes = 4 << 10;
constexpr std::size_t kLingerBytesMax = 1 << 20;
constexpr std::chrono::milliseconds kLingerTimeout{2000};
constexpr int kUnsentBytesMax = 128 << 10;
constexpr std::chrono::milliseconds kRefusalTimeout{1000};

// What the kernel takes from us before it sends it. Without it megabytes may wait in a connection
// to a slow reader, room comes back in large steps only, and its pace cannot be told from a stop.
class UnsentBytesMax {
 public:
  explicit UnsentBytesMax(int bytes) : bytes_(bytes) {}

  // What Asio wants of an option.
  template <class Protocol>
  int level(const Protocol& /*protocol*/) const {
    return IPPROTO_TCP;
  }
  template <class Protocol>
  int name(const Protocol& /*protocol*/) const {
    return TCP_NOTSENT_LOWAT;
  }
  template <class Protocol>
  const int* data(const Protocol& /*protocol*/) const {
    return &bytes_;
  }
  template <class Protocol>
  std::size_t size(const Protocol& /*protocol*/) const {
    return sizeof(bytes_);
  }

 private:
  const int bytes_;
};

bool EqualsIgnoringCase(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

std::string_view View(boost::string_view text) {
  return {text.data(), text.size()};
}

asio::ip::tcp::endpoint PeerOf(Stream& stream) {
  error_code ignored;  // A client that has left already; it is all zeros then.
  return stream.socket().remote_endpoint(ignored);
}

std::string AddressOf(const asio::ip::tcp::endpoint& peer) {
  asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

}  // namespace

Connection::Connection(Stream stream, const TransportOptions& options, const TransportDeps& deps,
                       const Handler& handler)
    : stream_(std::move(stream)), options_(options), deps_(deps), handler_(handler) {
  const asio::ip::tcp::endpoint peer = PeerOf(stream_);
  address_ = AddressOf(peer);
  peer_ = address_ + ":" + std::to_string(peer.port());
  error_code ignored;  // Only a delay, or a finer measure, is lost.
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  stream_.socket().set_option(UnsentBytesMax(kUnsentBytesMax), ignored);
}

void Connection::Drain() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->draining_ = true;
    if (self->idle_) {
      self->stream_.close();
    }
  });
}

void Connection::Abort() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->draining_ = true;
    self->stream_.close();
    if (self->on_abort_ != nullptr) {
      self->on_abort_();
    }
  });
}

Awaitable<void> Connection::Run() {
  for (;;) {
    const bool requested = co_await WaitForRequest();
    if (!requested) {
      break;
    }
    const bool more = co_await ServeOne();
    if (!more) {
      break;
    }
  }
  stream_.close();
}

Awaitable<void> Connection::Refuse() {
  ResponseWriter response(stream_, ResponseForm{}, options_, deps_);
  stream_.expires_after(kRefusalTimeout);
  ResponseHead head = PlainTextHead(503);
  head.headers.emplace_back("Retry-After", "2");
  const Status sent = co_await response.Send(std::move(head), "too many connections\n");
  if (sent) {
    co_await CloseLingering();
  }
  stream_.close();
}

Awaitable<bool> Connection::WaitForRequest() {
  if (draining_) {
    co_return false;
  }
  if (buffer_.size() != 0) {
    co_return true;
  }
  if (buffer_.capacity() > kIdleBufferBytes) {
    buffer_.shrink_to_fit();  // It is empty. An idle connection holds little.
  }
  idle_ = true;
  error_code failed;
  stream_.expires_after(options_.idle_timeout);
  const std::size_t size = co_await stream_.async_read_some(
      buffer_.prepare(kIdleBufferBytes), asio::redirect_error(asio::use_awaitable, failed));
  idle_ = false;
  if (failed) {
    co_return false;
  }
  buffer_.commit(size);
  co_return true;
}

// A request's end must be beyond doubt. Beast has refused what cannot be parsed, and a length
// beside chunked coding.
std::optional<Connection::Refusal> Connection::CheckFraming(const RequestParser& parser) {
  const auto& message = parser.get();
  if (message.version() != 10 && message.version() != 11) {
    return Refusal{505, "only HTTP/1.0 and HTTP/1.1 are spoken here\n"};
  }
  const std::size_t hosts = message.count(beast_http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() == 11)) {
    return Refusal{400, "exactly one Host header is required\n"};
  }
  const std::size_t codings = message.count(beast_http::field::transfer_encoding);
  if (codings > 0) {
    if (codings > 1 || message.version() == 10 ||
        message.count(beast_http::field::content_length) > 0) {
      return Refusal{400, "ambiguous length of the request\n"};
    }
    if (!EqualsIgnoringCase(View(message[beast_http::field::transfer_encoding]), "chunked")) {
      return Refusal{501, "unknown Transfer-Encoding\n"};
    }
  }
  const std::string_view expectation = View(message[beast_http::field::expect]);
  if (!expectation.empty() && !EqualsIgnoringCase(expectation, "100-continue")) {
    return Refusal{417, "unknown expectation\n"};
  }
  if (message.target().empty() || message.target().front() != '/') {
    return Refusal{400, "the request target must be a path\n"};
  }
  return std::nullopt;
}

// False: there is no request, or it was refused.
Awaitable<bool> Connection::ReadHead(RequestParser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
  parser.body_limit(boost::none);
  error_code failed;
  stream_.expires_after(options_.header_timeout);
  co_await beast_http::async_read_header(stream_, buffer_, parser,
                                         asio::redirect_error(asio::use_awaitable, failed));
  if (failed == beast_http::error::header_limit || failed == beast_http::error::buffer_overflow) {
    const bool in_first_line = parser.get().target().empty();
    const Refusal refusal = in_first_line ? Refusal{414, "the request target is too long\n"}
                                          : Refusal{431, "the request header is too large\n"};
    co_await RefuseRequest(refusal, false);
    co_return false;
  }
  if (failed == beast_http::error::end_of_stream || failed == beast_http::error::partial_message ||
      (failed && failed.category() != make_error_code(beast_http::error::bad_method).category())) {
    co_return false;  // Gone, or too slow to be told.
  }
  if (failed) {
    const Refusal refusal{400, "malformed request\n"};
    co_await RefuseRequest(refusal, false);
    co_return false;
  }
  const std::optional<Refusal> refusal = CheckFraming(parser);
  if (refusal.has_value()) {
    co_await RefuseRequest(*refusal, parser.get().version() == 10);
    co_return false;
  }
  co_return true;
}

// True: the connection is good for another request.
Awaitable<bool> Connection::ServeOne() {
  RequestParser parser;
  const bool requested = co_await ReadHead(parser);
  if (!requested) {
    co_return false;
  }
  // A client that asks before it sends its body may be answered without having sent it, or having
  // sent it all the same. Nobody knows what comes next on such a connection.
  const bool asks_first = parser.get().count(beast_http::field::expect) != 0;
  const ResponseForm form{.http_1_0 = parser.get().version() == 10,
                          .head = parser.get().method() == beast_http::verb::head,
                          .keep_alive = parser.keep_alive() && !draining_ && !asks_first};
  RequestBody body(stream_, buffer_, parser, options_, deps_);
  ResponseWriter response(stream_, form, options_, deps_);
  Exchange exchange(stream_, buffer_, on_abort_, address_, parser, body, response);
  co_await Handle(exchange);
  const bool more = co_await EndOfRequest(body, response);
  co_return more;
}

Awaitable<void> Connection::Handle(Exchange& exchange) {
  const std::chrono::nanoseconds began = deps_.clock.Monotonic();
  std::string thrown;
  try {
    co_await handler_(exchange);
  } catch (const std::exception& error) {
    thrown = error.what();
  }
  ResponseWriter& response = exchange.response();
  if (!thrown.empty() || !response.started()) {
    LogFailure(thrown);
  }
  if (!response.started()) {
    response.CloseAfterwards();
    ResponseHead head = PlainTextHead(500);
    const Status sent = co_await response.Send(std::move(head), "internal error\n");
    static_cast<void>(sent);  // Nobody is left to be told.
  }
  LogAccess(exchange, began);
}

// Brings the connection to the border of the next request. False: it must be closed.
Awaitable<bool> Connection::EndOfRequest(RequestBody& body, ResponseWriter& response) {
  if (!response.finished()) {
    co_return false;  // Cut, so that the client does not take it for whole.
  }
  if (response.keep_alive() && !draining_) {
    const bool drained = body.finished() || co_await body.Drain(options_.drain_bytes_max);
    if (drained) {
      co_return true;
    }
  }
  if (!body.finished()) {
    co_await CloseLingering();
  }
  co_return false;
}

Awaitable<void> Connection::RefuseRequest(Refusal refusal, bool http_1_0) {
  const ResponseForm form{.http_1_0 = http_1_0};
  ResponseWriter response(stream_, form, options_, deps_);
  ResponseHead head = PlainTextHead(refusal.status);
  LogRefusal(refusal);
  const Status sent = co_await response.Send(std::move(head), refusal.message);
  if (sent) {
    co_await CloseLingering();
  }
}

// Closing with unread bytes would reset the connection, and the client might never see the answer.
// So what it still sends is read for a moment.
Awaitable<void> Connection::CloseLingering() {
  error_code failed;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  buffer_.clear();
  std::size_t dropped = 0;
  stream_.expires_after(kLingerTimeout);
  while (!failed && dropped < kLingerBytesMax) {
    dropped += co_await stream_.async_read_some(buffer_.prepare(16 << 10),
                                                asio::redirect_error(asio::use_awaitable, failed));
  }
}

void Connection::LogFailure(std::string_view error) {
  deps_.logger.Fail("request failed", {{"peer", std::string_view(peer_)}, {"error", error}});
}

void Connection::LogRefusal(const Refusal& refusal) {
  deps_.logger.Info("request refused",
                    {{"peer", std::string_view(peer_)}, {"status", std::uint64_t{refusal.status}}});
}

void Connection::LogAccess(Exchange& exchange, std::chrono::nanoseconds began) {
  const ExchangeNotes& notes = exchange.notes();
  const RequestBody& body = exchange.body();
  const ResponseWriter& response = exchange.response();
  const auto taken =
      std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.Monotonic() - began);
  const std::string method = Printable(exchange.head().method(), 16);
  const std::string target = Printable(exchange.head().target(), 300);
  const std::string agent = Printable(exchange.head().Find("user-agent"), 100);
  deps_.logger.Info("request", {{"peer", std::string_view(peer_)},
                                {"method", std::string_view(method)},
                                {"target", std::string_view(target)},
                                {"repository", std::string_view(notes.repository)},
                                {"service", std::string_view(notes.service)},
                                {"status", std::uint64_t{response.status()}},
                                {"complete", std::uint64_t{response.finished() ? 1U : 0U}},
                                {"bytes_in", body.bytes()},
                                {"bytes_out", response.bytes()},
                                {"ms", static_cast<std::uint64_t>(taken.count())},
                                {"agent", std::string_view(agent)},
                                {"session", std::string_view(notes.session)},
                                {"by", std::string_view(notes.by)}});
}

}  // namespace quorate::http
