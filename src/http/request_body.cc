#include "http/internal/request_body.h"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

namespace quorate::http {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

bool IsTransportError(const error_code& error) {
  return error.category() !=
             beast::http::make_error_code(beast::http::error::end_of_stream).category() ||
         error == beast::http::error::end_of_stream || error == beast::http::error::partial_message;
}

}  // namespace

RequestBody::RequestBody(Stream& stream, beast::flat_buffer& buffer, RequestParser& parser,
                         const TransportOptions& options, const TransportDeps& deps)
    : stream_(stream),
      buffer_(buffer),
      parser_(parser),
      options_(options),
      deps_(deps),
      continue_due_(parser.get().version() >= 11 &&
                    parser.get().count(beast::http::field::expect) != 0) {
}

void RequestBody::DecodeGzip() {
  inflater_ = std::make_unique<Inflater>();
}

void RequestBody::HoldToPace() {
  pace_.emplace(options_.pace_bytes_per_second_min, options_.pace_grace);
}

Awaitable<Result<std::string_view>> RequestBody::Read() {
  std::string_view piece;
  if (inflater_ == nullptr) {
    Result<std::string_view> raw = co_await ReadRaw();
    if (!raw) {
      co_return std::move(raw).error();
    }
    piece = *raw;
  } else {
    while (piece.empty()) {
      if (undecoded_.empty()) {
        Result<std::string_view> raw = co_await ReadRaw();
        if (!raw) {
          co_return std::move(raw).error();
        }
        undecoded_ = *raw;
        if (undecoded_.empty()) {
          if (!inflater_->ended()) {
            co_return Error(Code::kInvalidArgument, "the gzip body ends too early");
          }
          break;
        }
      }
      Result<std::string_view> decoded = inflater_->Next(undecoded_);
      if (!decoded) {
        co_return std::move(decoded).error();
      }
      piece = *decoded;
    }
  }
  bytes_ += piece.size();
  // Encoded bytes count, too: gzip may be larger than what is in it.
  if (std::max(bytes_, raw_bytes_) > bytes_max_) {
    co_return Error(Code::kResourceExhausted,
                    "the request is larger than " + std::to_string(bytes_max_) + " bytes");
  }
  co_return piece;
}

Awaitable<Status> RequestBody::SendContinue() {
  continue_due_ = false;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code failed;
  stream_.expires_after(options_.write_timeout);
  co_await asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                             asio::redirect_error(asio::use_awaitable, failed));
  if (failed) {
    co_return Error(Code::kCancelled, "the client went away");
  }
  co_return Ok();
}

Awaitable<Result<std::string_view>> RequestBody::ReadRaw() {
  if (continue_due_) {
    Status sent = co_await SendContinue();
    if (!sent) {
      co_return std::move(sent).error();
    }
  }
  MakeRoom();
  std::size_t size = 0;
  while (size == 0 && !parser_.is_done()) {
    parser_.get().body().data = piece_.get();
    parser_.get().body().size = piece_bytes_;
    // The client's time is counted, not ours: a body may take long because we work on it.
    const std::chrono::milliseconds allowance =
        options_.body_grace +
        std::chrono::milliseconds(raw_bytes_ * 1000 /
                                  std::max<std::uint64_t>(1, options_.body_bytes_per_second_min));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(allowance - waited_);
    const auto longest =
        pace_ ? std::min(options_.read_timeout, pace_->Allowance(0)) : options_.read_timeout;
    stream_.expires_after(std::clamp(left, std::chrono::milliseconds(1), longest));

    error_code failed;
    const std::chrono::nanoseconds before = deps_.clock.Monotonic();
    co_await beast::http::async_read_some(stream_, buffer_, parser_,
                                          asio::redirect_error(asio::use_awaitable, failed));
    const std::chrono::nanoseconds took = deps_.clock.Monotonic() - before;
    waited_ += took;
    if (pace_) {
      pace_->Count(piece_bytes_ - parser_.get().body().size, took);
    }
    if (failed == beast::http::error::need_buffer) {
      failed = {};
    }
    if (failed) {
      if (IsTransportError(failed)) {
        co_return Error(Code::kCancelled, failed == beast::error::timeout
                                              ? "the client sent its body too slowly"
                                              : "the client went away");
      }
      co_return Error(Code::kInvalidArgument, "malformed body: " + failed.message());
    }
    size = piece_bytes_ - parser_.get().body().size;
  }
  raw_bytes_ += size;
  deps_.bytes_in.Add(static_cast<double>(size));
  co_return std::string_view(piece_.get(), size);
}

// Few bytes for the few bytes of most requests. For large bodies the connection's buffer grows,
// too: it bounds how much one read takes from the socket.
void RequestBody::MakeRoom() {
  if (piece_ != nullptr) {
    return;
  }
  const auto length = parser_.content_length();
  const std::uint64_t wanted = length ? std::max<std::uint64_t>(*length, 1) : kPieceBytes;
  piece_bytes_ = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, kPieceBytes));
  piece_ = std::make_unique_for_overwrite<char[]>(piece_bytes_);
  if (piece_bytes_ == kPieceBytes) {
    buffer_.reserve(kPieceBytes);
  }
}

Awaitable<bool> RequestBody::Drain(std::uint64_t bytes_max) {
  if (continue_due_) {
    co_return false;  // It was not told to send; it may or may not.
  }
  const std::uint64_t until = raw_bytes_ + bytes_max;
  while (!parser_.is_done() && raw_bytes_ < until) {
    Result<std::string_view> piece = co_await ReadRaw();
    if (!piece) {
      co_return false;
    }
  }
  co_return parser_.is_done();
}

}  // namespace quorate::http
