#include "server/serve.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/fault_point.h"
#include "cluster/node.h"
#include "env/posix/child.h"
#include "env/posix/clock.h"
#include "env/posix/file_system.h"
#include "env/posix/prometheus_metrics.h"
#include "env/posix/random.h"
#include "env/posix/spdlog_logger.h"
#include "env/posix/thread_pool.h"
#include "env/posix/timers.h"
#include "http/server.h"
#include "server/version.h"

namespace quorate::server {
namespace {

using std::chrono::milliseconds;

// Blocks the signals that stop a server, in this thread and those it will start, so that Wait()
// alone receives them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  // Returns at the first signal. The second then ends the process at once, as by default.
  void Wait() {
    int signal = 0;
    sigwait(&set_, &signal);
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_{};
};

env::SpdlogLoggerOptions LoggerOptions(const Config& config) {
  env::SpdlogLoggerOptions options{.level = env::Severity::kInfo,
                                   .json = config.log_format == "json"};
  if (config.log_level == "debug") {
    options.level = env::Severity::kDebug;
  } else if (config.log_level == "warning") {
    options.level = env::Severity::kWarning;
  } else if (config.log_level == "error") {
    options.level = env::Severity::kError;
  }
  return options;
}

int Threads(const Config& config) {
  const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return config.threads > 0 ? static_cast<int>(config.threads) : processors;
}

cluster::NodeOptions NodeOptionsOf(const Config& config) {
  cluster::NodeOptions options;
  // Children run in directories of their own.
  options.data_directory = std::filesystem::absolute(config.data).lexically_normal().string();
  options.accept_damaged_wal = config.accept_damaged_wal;
  options.log_mode =
      config.log_mode == "local" ? cluster::LogMode::kLocal : cluster::LogMode::kRaft;
  options.objects.inline_bytes_max = static_cast<std::size_t>(config.inline_pack_bytes);
  options.objects.unpack_objects_max = static_cast<std::uint32_t>(config.unpack_objects);
  options.objects.pack_bytes_max = static_cast<std::uint64_t>(config.pack_bytes);
  options.objects.object_bytes_max = static_cast<std::uint64_t>(config.object_bytes);
  options.free_bytes_min = static_cast<std::uint64_t>(config.free_disk_bytes);
  options.transactions.consumer_entries_max = static_cast<std::uint64_t>(config.consumer_entries);
  options.transactions.consumer_bytes_max = static_cast<std::uint64_t>(config.consumer_bytes);
  options.open_partitions_max = static_cast<std::size_t>(config.open_partitions);
  return options;
}

Result<http::HttpOptions> HttpOptionsOf(const Config& config, const cluster::Node& node) {
  const HostPort address = QUORATE_TRY(ParseHostPort(config.http));
  http::HttpOptions options;
  options.host = address.host == "localhost" ? "127.0.0.1" : address.host;
  options.port = address.port;
  options.threads = Threads(config);
  options.connections_max = static_cast<std::size_t>(config.connections);
  options.idle_timeout = milliseconds(config.idle_ms);
  options.header_timeout = milliseconds(config.header_ms);
  options.read_timeout = milliseconds(config.body_ms);
  options.write_timeout = milliseconds(config.body_ms);
  options.slow_client_grace = milliseconds(config.slow_client_ms);
  options.create_on_push = config.create_on_push;
  options.ref_cache_bytes_max = static_cast<std::size_t>(config.advertisement_bytes);
  options.views_max = static_cast<std::size_t>(config.views);
  options.children_max = static_cast<std::size_t>(config.children);
  options.in_process_fetch_objects_max =
      static_cast<std::uint32_t>(config.in_process_fetch_objects);
  options.views_directory = node.views_directory();
  options.peer_address = config.peer;
  if (const char* path = std::getenv("PATH"); path != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    options.path_variable = path;
  }
  return options;
}

std::string Url(const http::HttpOptions& options, std::uint16_t port) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return fmt::format("http://{}:{}", v6 ? "[" + options.host + "]" : options.host, port);
}

}  // namespace

Status Serve(const Config& config) {
  StopSignals signals;
  env::PosixClock clock;
  env::SpdlogLogger logger(clock, LoggerOptions(config));
  env::PrometheusMetrics metrics;
  env::PosixRandom random;
  env::PosixFileSystem files;
  env::PosixChildLauncher children;
  if (!config.fault_points.empty()) {
    QUORATE_TRY(ArmFaultPoints(config.fault_points));
    logger.Warn("fault points armed: this server will fail on purpose",
                {{"points", config.fault_points}});
  }

  env::PosixTimers timers;
  env::ThreadPool core({.name = "core", .threads = Threads(config)});
  env::ThreadPool storage({.name = "storage", .threads = Threads(config) + 1});
  // Its tasks wait for children and disks more than they compute.
  env::ThreadPool git({.name = "git", .threads = Threads(config) + 14});

  const std::unique_ptr<cluster::Node> node =
      QUORATE_TRY(cluster::Node::Open(NodeOptionsOf(config), {.core = core,
                                                              .storage = storage,
                                                              .files = files,
                                                              .children = children,
                                                              .clock = clock,
                                                              .timers = timers,
                                                              .random = random,
                                                              .logger = logger,
                                                              .metrics = metrics}));
  const http::HttpOptions http_options = QUORATE_TRY(HttpOptionsOf(config, *node));
  Result<std::unique_ptr<http::HttpServer>> http =
      http::HttpServer::Start(http_options, {.node = *node,
                                             .git = git,
                                             .children = children,
                                             .files = files,
                                             .clock = clock,
                                             .logger = logger,
                                             .metrics = metrics,
                                             .ready = nullptr});
  if (!http) {
    node->Stop();
    return std::move(http).error();
  }

  const std::string url = Url(http_options, (*http)->port());
  fmt::print("quorate: serving {} from {}\n", url, config.data);
  std::fflush(stdout);
  logger.Info("serving", {{"url", url}, {"data", config.data}, {"version", kVersion}});

  signals.Wait();
  logger.Info("stopping: no new connections; requests under way may end");
  // Whoever uses something stops before it.
  (*http)->Stop(milliseconds(config.drain_ms));
  http->reset();
  git.Stop();
  node->Stop();
  logger.Info("stopped");
  return Ok();
}

}  // namespace quorate::server
