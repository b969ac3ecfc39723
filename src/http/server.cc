#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "http/internal/child_gate.h"
#include "http/internal/http_metrics.h"
#include "http/internal/listener.h"
#include "http/internal/routes.h"
#include "http/internal/services.h"
#include "http/ref_cache.h"
#include "http/view_cache.h"

namespace quorate::http {
namespace {

TransportOptions TransportOptionsOf(const HttpOptions& options) {
  TransportOptions transport;
  transport.host = options.host;
  transport.port = options.port;
  transport.threads = options.threads > 0
                          ? options.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  transport.connections_max = options.connections_max;
  transport.drain_bytes_max = options.drain_bytes_max;
  transport.idle_timeout = options.idle_timeout;
  transport.header_timeout = options.header_timeout;
  transport.read_timeout = options.read_timeout;
  transport.body_grace = options.read_timeout;
  transport.write_timeout = options.write_timeout;
  transport.pace_grace = options.slow_client_grace;
  return transport;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpOptions options, HttpDeps deps) : options_(std::move(options)), deps_(std::move(deps)) {}

  Status Open();
  std::uint16_t port() const { return listener_->port(); }
  void Stop(std::chrono::milliseconds drain) {
    stopping_.store(true);
    listener_->Stop(drain, [this] {
      deps_.logger.Warn("stopping: requests still wait; they are answered with an error", {});
      deps_.node.GiveUp();
    });
  }

 private:
  const HttpOptions options_;
  const HttpDeps deps_;
  HttpMetrics metrics_{deps_.metrics};
  RefCache refs_{options_.ref_cache_bytes_max, metrics_.ref_cache_hits, metrics_.ref_cache_misses};
  ChildGate children_{{.running_max = options_.children_max,
                       .waiting_max = options_.children_waiting_max,
                       .wait_max = options_.child_wait},
                      metrics_.children_running};
  // Of its own: pushes must not wait for slow readers, nor fetches for slow pushes.
  ChildGate indexers_{{.running_max = options_.children_max,
                       .waiting_max = options_.children_waiting_max,
                       .wait_max = options_.child_wait,
                       .what = "large pushes"},
                      metrics_.indexers_running};
  std::unique_ptr<ViewCache> views_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint16_t> port_ = 0;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Listener> listener_;  // Last: its threads use all the others.
};

Status HttpServer::Impl::Open() {
  views_ =
      QUORATE_TRY(ViewCache::Open(options_.views_directory, options_.views_max, deps_.files,
                                  deps_.git, metrics_.view_cache_hits, metrics_.view_cache_misses));
  services_ = std::make_unique<Services>(
      Services{options_, deps_, metrics_, refs_, *views_, children_, indexers_, stopping_, port_});
  const TransportDeps transport{.clock = deps_.clock,
                                .logger = deps_.logger,
                                .connections = metrics_.connections,
                                .connections_refused = metrics_.connections_refused,
                                .bytes_in = metrics_.bytes_in,
                                .bytes_out = metrics_.bytes_out};
  Handler handler = [services = services_.get()](Exchange& exchange) {
    return Route(*services, exchange);
  };
  listener_ =
      QUORATE_TRY(Listener::Start(TransportOptionsOf(options_), transport, std::move(handler)));
  port_.store(listener_->port());
  return Ok();
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpOptions options, HttpDeps deps) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(deps));
  QUORATE_TRY(impl->Open());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

void HttpServer::Stop(std::chrono::milliseconds drain) {
  impl_->Stop(drain);
}

}  // namespace quorate::http
