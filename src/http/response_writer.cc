#include "http/internal/response_writer.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <ctime>

namespace quorate::http {
namespace {

constexpr std::size_t kSendBytesMax = 1 << 20;

std::string HttpDate(std::chrono::microseconds wall) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(wall).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace

std::string_view ReasonPhrase(unsigned status) {
  const auto reason = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {reason.data(), reason.size()};
}

ResponseHead PlainTextHead(unsigned status) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .headers = {}};
}

ResponseWriter::ResponseWriter(Stream& stream, ResponseForm form, const TransportOptions& options,
                               const TransportDeps& deps)
    : stream_(stream),
      form_(form),
      options_(options),
      deps_(deps),
      pace_(options.pace_bytes_per_second_min, options.pace_grace) {
}

std::string ResponseWriter::RenderHead(const ResponseHead& head) const {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nServer: quorate\r\nDate: {}\r\n", head.status,
                                 ReasonPhrase(head.status), HttpDate(deps_.clock.WallUnix()));
  if (!head.content_type.empty()) {
    text += fmt::format("Content-Type: {}\r\n", head.content_type);
  }
  for (const auto& header : head.headers) {
    text += fmt::format("{}: {}\r\n", header.first, header.second);
  }
  for (const auto& header : headers_) {
    text += fmt::format("{}: {}\r\n", header.first, header.second);
  }
  if (!form_.keep_alive) {
    text += "Connection: close\r\n";
  } else if (form_.http_1_0) {
    text += "Connection: keep-alive\r\n";
  }
  return text;
}

template <class Buffers>
Awaitable<Status> ResponseWriter::WriteAll(const Buffers& buffers) {
  error_code failed;
  stream_.expires_after(
      std::min(options_.write_timeout, pace_.Allowance(asio::buffer_size(buffers))));
  const std::chrono::nanoseconds before = deps_.clock.Monotonic();
  const std::size_t sent = co_await asio::async_write(
      stream_, buffers, asio::redirect_error(asio::use_awaitable, failed));
  pace_.Count(sent, deps_.clock.Monotonic() - before);
  bytes_ += sent;
  deps_.bytes_out.Add(static_cast<double>(sent));
  if (failed) {
    form_.keep_alive = false;
    co_return Error(Code::kCancelled, failed == beast::error::timeout
                                          ? "the client reads its answer too slowly"
                                          : "the client went away");
  }
  co_return Ok();
}

void ResponseWriter::AddHeader(std::string_view name, std::string value) {
  QUORATE_CHECK(!started());
  headers_.emplace_back(name, std::move(value));
}

Awaitable<Status> ResponseWriter::Send(ResponseHead head, std::string_view body) {
  QUORATE_CHECK(!started());
  status_ = head.status;
  std::string text = RenderHead(head);
  text += fmt::format("Content-Length: {}\r\n\r\n", body.size());
  std::string_view rest = form_.head ? std::string_view() : body;
  bool first = true;
  // In pieces, so that the write timeout is for a piece and not for the whole.
  while (first || !rest.empty()) {
    const std::string_view piece = rest.substr(0, kSendBytesMax);
    const std::array<asio::const_buffer, 2> buffers = {
        asio::buffer(text.data(), first ? text.size() : 0),
        asio::buffer(piece.data(), piece.size())};
    const Status sent = co_await WriteAll(buffers);
    if (!sent) {
      co_return sent;
    }
    rest.remove_prefix(piece.size());
    first = false;
  }
  finished_ = true;
  co_return Ok();
}

void ResponseWriter::Start(const ResponseHead& head) {
  QUORATE_CHECK(!started());
  status_ = head.status;
  chunked_ = !form_.http_1_0;
  if (!chunked_) {
    form_.keep_alive = false;
  }
  pending_head_ = RenderHead(head);
  pending_head_ += chunked_ ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
}

Awaitable<Status> ResponseWriter::Write(std::string_view piece) {
  QUORATE_CHECK(started());
  QUORATE_CHECK(!finished_);
  if (piece.empty() || form_.head) {
    co_return Ok();
  }
  std::string before = std::exchange(pending_head_, {});
  if (chunked_) {
    before += fmt::format("{:x}\r\n", piece.size());
  }
  const std::string_view after = chunked_ ? "\r\n" : "";
  const std::array<asio::const_buffer, 3> buffers = {asio::buffer(before),
                                                     asio::buffer(piece.data(), piece.size()),
                                                     asio::buffer(after.data(), after.size())};
  Status sent = co_await WriteAll(buffers);
  co_return sent;
}

Awaitable<Status> ResponseWriter::Finish() {
  QUORATE_CHECK(started());
  QUORATE_CHECK(!finished_);
  std::string text = std::exchange(pending_head_, {});
  if (chunked_ && !form_.head) {
    text += "0\r\n\r\n";
  }
  const std::array<asio::const_buffer, 1> buffers = {asio::buffer(text)};
  Status sent = co_await WriteAll(buffers);
  finished_ = sent.has_value();
  co_return sent;
}

}  // namespace quorate::http
