// What the transport needs to know: limits, timeouts, and what it counts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "env/clock.h"
#include "env/logger.h"
#include "env/metrics.h"

namespace quorate::http {

struct TransportOptions {
  std::string host = "127.0.0.1";  // A numeric address.
  std::uint16_t port = 0;          // 0 picks a free one.
  int threads = 1;
  std::size_t connections_max = 1024;  // Beyond: 503 and the connection is closed.
  std::size_t header_bytes_max = 32 << 10;
  std::uint64_t drain_bytes_max = 64 << 20;        // Of a request body that nobody wanted to read.
  std::chrono::milliseconds idle_timeout{75'000};  // Between requests.
  std::chrono::milliseconds header_timeout{20'000};  // For a whole request header.
  std::chrono::milliseconds read_timeout{60'000};    // For the next bytes of a body.
  std::chrono::milliseconds write_timeout{120'000};  // For the client to take one piece.
  // An answer must be read, and a body for which a process waits must arrive, at this rate; a
  // client may fall behind by `pace_grace`.
  std::uint64_t pace_bytes_per_second_min = 2048;
  std::chrono::milliseconds pace_grace{60'000};
  // A body must arrive at this rate once `body_grace` of waiting has passed.
  std::uint64_t body_bytes_per_second_min = 256;
  std::chrono::milliseconds body_grace{60'000};
};

struct TransportDeps {
  const env::Clock& clock;
  env::Logger& logger;
  env::Gauge& connections;
  env::Counter& connections_refused;
  env::Counter& bytes_in;
  env::Counter& bytes_out;
};

}  // namespace quorate::http
