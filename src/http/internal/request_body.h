// RequestBody: the body of one request, streamed: Content-Length or chunked, decoded from gzip when
// the client says so. Holds one buffer, whatever the body's size.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/internal/asio.h"
#include "http/internal/inflate.h"
#include "http/internal/pace.h"
#include "http/internal/transport.h"

namespace quorate::http {

// Belongs to its connection's coroutine. All that it refers to outlives it.
class RequestBody {
 public:
  RequestBody(Stream& stream, beast::flat_buffer& buffer, RequestParser& parser,
              const TransportOptions& options, const TransportDeps& deps);

  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  // From now on Read() yields decoded bytes.
  void DecodeGzip();
  // Read() fails with kResourceExhausted once more (decoded) bytes have come.
  void LimitBytes(std::uint64_t bytes_max) { bytes_max_ = bytes_max; }

  // A process waits for the rest: from now on it must arrive at the pace of internal/pace.h.
  void HoldToPace();

  // The next bytes, valid until the next call; empty at the end.
  //   kCancelled          the client went away or was too slow; nothing can be answered;
  //   kInvalidArgument    chunking or gzip is malformed;
  //   kResourceExhausted  see LimitBytes().
  Awaitable<Result<std::string_view>> Read();

  // Reads and drops the rest. False if it did not end within `bytes_max`, or at all.
  Awaitable<bool> Drain(std::uint64_t bytes_max);

  // All of it was taken from the connection.
  bool finished() const { return parser_.is_done(); }
  std::uint64_t bytes() const { return raw_bytes_; }

 private:
  Awaitable<Result<std::string_view>> ReadRaw();
  Awaitable<Status> SendContinue();
  void MakeRoom();

  Stream& stream_;
  beast::flat_buffer& buffer_;
  RequestParser& parser_;
  const TransportOptions& options_;
  const TransportDeps& deps_;

  std::unique_ptr<char[]> piece_;
  std::size_t piece_bytes_ = 0;
  std::string_view undecoded_;  // Within piece_.
  std::unique_ptr<Inflater> inflater_;
  bool continue_due_;  // The client waits for "100 Continue".
  std::uint64_t bytes_max_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t bytes_ = 0;             // Yielded.
  std::uint64_t raw_bytes_ = 0;         // Read, without chunk framing.
  std::chrono::nanoseconds waited_{0};  // For the client, in total.
  std::optional<Pace> pace_;            // Once something waits.
};

}  // namespace quorate::http
