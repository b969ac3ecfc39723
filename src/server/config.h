// Config: what `quorate serve` can be told, from a TOML file and from the command line.
//
// Every key is one row of the table in config.cc, and is described in packaging/quorate.toml with
// its default; a test compares the two. An unknown key is an error that names the nearest known
// one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quorate::server {

struct Config {
  // [server]
  std::string data;
  std::string http = "127.0.0.1:7080";
  std::string peer = "127.0.0.1:7081";
  std::string join;
  bool insecure = false;
  bool accept_damaged_wal = false;  // Not a key: for one start, by an operator who read the error.
  std::int64_t threads = 0;         // 0: one per processor.

  // [log]
  std::string log_mode = "raft";

  // [repositories]
  bool create_on_push = false;
  bool create_on_push_given = false;  // Not a key: whether the file or the command line set it.

  // [limits]
  std::int64_t inline_pack_bytes = 128 << 10;
  std::int64_t unpack_objects = 100;
  std::int64_t pack_bytes = 16LL << 30;
  std::int64_t object_bytes = 4LL << 30;
  std::int64_t free_disk_bytes = 64 << 20;
  std::int64_t connections = 4096;
  std::int64_t children = 16;
  std::int64_t in_process_fetch_objects = 256;
  std::int64_t open_partitions = 1024;

  std::int64_t consumer_entries = 100'000;
  std::int64_t consumer_bytes = 1 << 30;

  // [timeouts], milliseconds
  std::int64_t header_ms = 20'000;
  std::int64_t idle_ms = 120'000;
  std::int64_t body_ms = 600'000;
  std::int64_t slow_client_ms = 60'000;
  std::int64_t drain_ms = 30'000;

  // [cache]
  std::int64_t advertisement_bytes = 32 << 20;
  std::int64_t views = 256;

  // [observability]
  std::string log_level = "info";
  std::string log_format = "text";

  // [unsafe]
  std::string fault_points;
};

// A host and a port, as in "127.0.0.1:7080" or "[::1]:7080".
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  // Whether only this machine can connect: 127.0.0.0/8, ::1, localhost.
  bool IsLoopback() const;
};
Result<HostPort> ParseHostPort(std::string_view text);

// Overrides `config` with what `toml` says. `origin` names the source in errors.
//   kInvalidArgument   not TOML, an unknown key, a wrong type, or a value out of range; says where.
Status ReadConfig(std::string_view toml, std::string_view origin, Config& config);

// What no single key can say: a data directory is named, addresses parse, modes are known, and
// nothing listens beyond this machine without authentication unless `insecure`.
Status CheckConfig(const Config& config);

// "server.http", ...: every key, in the order of the default file.
std::vector<std::string> ConfigKeys();

}  // namespace quorate::server
