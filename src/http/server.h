// HttpServer: smart HTTP for stock Git clients, the admin API, health and metrics, on one port.
//
//   GET  /NAME[.git]/info/refs?service=...   POST /NAME[.git]/git-upload-pack, git-receive-pack
//   GET  /readyz /livez /metrics             GET POST DELETE /api/v1/...   (README.md)
//
// It owns its network threads, which never block: blocking work is done on the `git` pool. Memory
// of a request is bounded, whatever its body's or its answer's size.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "cluster/node.h"
#include "env/child.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/strand.h"

namespace quorate::http {

struct HttpOptions {
  std::string host = "127.0.0.1";  // A numeric address.
  std::uint16_t port = 0;          // 0 picks a free one.
  int threads = 0;                 // 0: one per core.
  std::size_t connections_max = 1024;
  std::chrono::milliseconds idle_timeout{75'000};
  std::chrono::milliseconds header_timeout{20'000};
  std::chrono::milliseconds read_timeout{60'000};
  std::chrono::milliseconds write_timeout{120'000};
  // Who reads an answer, or sends what a process waits for, may fall so far behind 2 KiB a second.
  std::chrono::milliseconds slow_client_grace{60'000};
  std::chrono::milliseconds keepalive_period{5'000};  // Of empty packets while a push is worked on.

  bool create_on_push = false;
  std::string default_branch = "refs/heads/main";  // Of what a push creates.

  std::uint64_t drain_bytes_max = 64 << 20;      // Of a body that nobody wants any more.
  std::size_t negotiation_bytes_max = 64 << 20;  // Of a fetch request, decoded.
  std::size_t ref_cache_bytes_max = 64 << 20;
  std::size_t views_max = 256;
  // `git upload-pack` at the same time, and as many `git index-pack` that receive large pushes ...
  std::size_t children_max = 16;
  std::size_t children_waiting_max = 256;  // ... and requests that wait for one. Beyond: 503.
  std::chrono::milliseconds child_wait{60'000};
  std::uint32_t in_process_fetch_objects_max = 256;  // A fetch that looks at more is git's; 0: all.
  std::size_t pack_threads = 1;                      // Of one pack-objects.
  std::string path_variable = "/usr/local/bin:/usr/bin:/bin";  // PATH of children.

  std::string views_directory;  // Absolute; emptied at start.
  std::string peer_address;     // Told by the cluster status.
};

// All outlive the server.
struct HttpDeps {
  cluster::Node& node;
  env::StrandPool& git;  // May block.
  env::ChildLauncher& children;
  env::FileSystem& files;
  const env::Clock& clock;
  env::Logger& logger;
  env::Metrics& metrics;
  std::function<Status()> ready;  // For /readyz; null: ready while not stopping.
};

class HttpServer {
 public:
  // Listens when it returns. kInvalidArgument: not an address; kUnavailable: it cannot be listened
  // on; as env::FileSystem for the views' directory. Blocks.
  static Result<std::unique_ptr<HttpServer>> Start(HttpOptions options, HttpDeps deps);
  // Stops at once if Stop() was not called.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;

  // Answers /readyz with 503, refuses new connections, closes idle ones and lets running requests
  // end. After `drain` it makes the node give up (Node::GiveUp()), so that what waits there is
  // answered, then cuts off what is left, and waits for what they started. Blocks. The pool and the
  // node must still be running.
  void Stop(std::chrono::milliseconds drain);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::http
