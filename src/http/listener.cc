#include "http/internal/listener.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/internal/connection.h"
#include "http/internal/context_life.h"

namespace quorate::http {
namespace {

constexpr std::size_t kRefusalsMax = 64;  // Told at the same time; beyond, just closed.
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr std::chrono::milliseconds kLastAnswers{1000};  // To be sent when Stop() gave up.

}  // namespace

class Listener::Impl : public std::enable_shared_from_this<Listener::Impl> {
 public:
  Impl(TransportOptions options, TransportDeps deps, Handler handler)
      : options_(std::move(options)), deps_(deps), handler_(std::move(handler)) {}

  Status Open();
  std::uint16_t port() const { return port_; }
  void Stop(std::chrono::milliseconds drain, Callback<> give_up);

 private:
  Awaitable<void> Accept();
  void LogAcceptFailure(const error_code& failed);
  void Admit(asio::ip::tcp::socket socket);
  void Forget(std::uint64_t id, bool refused);
  std::vector<std::shared_ptr<Connection>> OpenConnections() const;

  const TransportOptions options_;
  const TransportDeps deps_;
  const Handler handler_;

  const std::shared_ptr<asio::io_context> context_ = ContextLife::MakeContext();
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_->get_executor()};
  asio::strand<asio::io_context::executor_type> accept_strand_{context_->get_executor()};
  asio::ip::tcp::acceptor acceptor_{accept_strand_};
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;  // By mutex_.
  std::uint64_t next_id_ = 1;                                                   // By mutex_.
  std::size_t served_ = 0;    // By mutex_: of connections_, those that were not refused.
  std::size_t refusing_ = 0;  // By mutex_.
  bool accepting_ = false;    // By mutex_: Accept() has not returned.
  bool stopping_ = false;     // By mutex_.
};

Status Listener::Impl::Open() {
  error_code failed;
  const asio::ip::address address = asio::ip::make_address(options_.host, failed);
  if (failed) {
    return Error(Code::kInvalidArgument, "not a numeric address: " + options_.host);
  }
  const asio::ip::tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) {
    acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
  }
  if (!failed) {
    acceptor_.bind(endpoint, failed);
  }
  if (!failed) {
    acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  }
  if (failed) {
    return Error(Code::kUnavailable, "listen on " + options_.host + ":" +
                                         std::to_string(options_.port) + ": " + failed.message());
  }
  port_ = acceptor_.local_endpoint().port();
  accepting_ = true;
  asio::co_spawn(
      accept_strand_, [self = shared_from_this()] { return self->Accept(); }, asio::detached);
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), fmt::format("http-{}", i).c_str());
      context_->run();
    });
  }
  return Ok();
}

Awaitable<void> Listener::Impl::Accept() {
  while (acceptor_.is_open()) {
    error_code failed;
    asio::ip::tcp::socket socket = co_await acceptor_.async_accept(
        asio::make_strand(*context_), asio::redirect_error(asio::use_awaitable, failed));
    if (!failed) {
      Admit(std::move(socket));
    } else if (acceptor_.is_open() && failed != asio::error::connection_aborted) {
      // Out of descriptors, most likely: others must end first.
      LogAcceptFailure(failed);
      asio::steady_timer pause(accept_strand_, kAcceptPause);
      error_code ignored;
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }
  const std::lock_guard lock(mutex_);
  accepting_ = false;
  changed_.notify_all();
}

void Listener::Impl::LogAcceptFailure(const error_code& failed) {
  const std::string words = failed.message();
  deps_.logger.Warn("accept failed", {{"error", std::string_view(words)}});
}

void Listener::Impl::Admit(asio::ip::tcp::socket socket) {
  auto connection =
      std::make_shared<Connection>(Stream(std::move(socket)), options_, deps_, handler_);
  std::uint64_t id = 0;
  bool refused = false;
  {
    const std::lock_guard lock(mutex_);
    refused = served_ >= options_.connections_max;
    if (stopping_ || (refused && refusing_ >= kRefusalsMax)) {
      return;
    }
    (refused ? refusing_ : served_) += 1;
    id = next_id_++;
    connections_.emplace(id, connection);
  }
  if (refused) {
    deps_.connections_refused.Add();
  } else {
    deps_.connections.Add(1);
  }
  Connection& served = *connection;
  asio::co_spawn(
      served.executor(),
      [connection = std::move(connection), refused]() -> Awaitable<void> {
        return refused ? connection->Refuse() : connection->Run();
      },
      [self = shared_from_this(), id, refused](const std::exception_ptr& thrown) {
        if (thrown) {
          self->deps_.logger.Fail("connection failed", {});
        }
        self->Forget(id, refused);
      });
}

void Listener::Impl::Forget(std::uint64_t id, bool refused) {
  if (!refused) {
    deps_.connections.Add(-1);
  }
  const std::lock_guard lock(mutex_);
  (refused ? refusing_ : served_) -= 1;
  connections_.erase(id);
  changed_.notify_all();
}

std::vector<std::shared_ptr<Connection>> Listener::Impl::OpenConnections() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> open;
  open.reserve(connections_.size());
  for (const auto& entry : connections_) {
    open.push_back(entry.second);
  }
  return open;
}

void Listener::Impl::Stop(std::chrono::milliseconds drain, Callback<> give_up) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) {
      return;
    }
  }
  asio::post(accept_strand_, [self = shared_from_this()] {
    error_code ignored;  // It is closed in any case.
    self->acceptor_.close(ignored);
  });
  for (const auto& connection : OpenConnections()) {
    connection->Drain();
  }
  const auto ended = [this] { return connections_.empty() && !accepting_; };
  const auto ended_within = [this, ended](std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, ended);
  };
  if (!ended_within(drain)) {
    std::move(give_up)();
    ended_within(kLastAnswers);
  }
  for (const auto& connection : OpenConnections()) {
    connection->Abort();
  }
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, ended);
  }
  work_.reset();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {
}

Listener::~Listener() {
  impl_->Stop(std::chrono::milliseconds(0), [] {});
}

Result<std::unique_ptr<Listener>> Listener::Start(TransportOptions options, TransportDeps deps,
                                                  Handler handler) {
  auto impl = std::make_shared<Impl>(std::move(options), deps, std::move(handler));
  QUORATE_TRY(impl->Open());
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

std::uint16_t Listener::port() const {
  return impl_->port();
}

void Listener::Stop(std::chrono::milliseconds drain, Callback<> give_up) {
  impl_->Stop(drain, std::move(give_up));
}

}  // namespace quorate::http
