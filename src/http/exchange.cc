#include "http/internal/exchange.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <utility>

namespace quorate::http {
namespace {

std::string_view FromBeast(boost::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::string_view RequestHead::method() const {
  return FromBeast(message_.method_string());
}

std::string_view RequestHead::target() const {
  return FromBeast(message_.target());
}

std::string_view RequestHead::Find(std::string_view name) const {
  const auto found = message_.find(boost::string_view(name.data(), name.size()));
  return found == message_.end() ? std::string_view() : FromBeast(found->value());
}

namespace {

// Of somebody who wants to know; passes on the first of several signs.
struct Watcher {
  void Gone() {
    if (std::exchange(active, false)) {
      on_gone();
    }
  }
  bool active = true;
  std::function<void()> on_gone;
};

// Readable without a byte to read; a byte would be the next request.
bool IsClosed(Stream& stream) {
  char byte = 0;
  error_code failed;
  stream.socket().non_blocking(true, failed);
  const std::size_t size =
      stream.socket().receive(asio::buffer(&byte, 1), asio::ip::tcp::socket::message_peek, failed);
  return failed != asio::error::would_block && (failed || size == 0);
}

class SocketWatch final : public Exchange::GoneWatch {
 public:
  SocketWatch(std::shared_ptr<Watcher> watcher, std::function<void()>& on_abort)
      : watcher_(std::move(watcher)), on_abort_(on_abort) {
    on_abort_ = [watcher = watcher_] { watcher->Gone(); };
  }
  ~SocketWatch() override {
    watcher_->active = false;
    on_abort_ = nullptr;
    cancel_.emit(asio::cancellation_type::all);
  }

  void WatchSocket(Stream& stream) {
    stream.socket().async_wait(
        asio::ip::tcp::socket::wait_read,
        asio::bind_cancellation_slot(cancel_.slot(),
                                     [watcher = watcher_, &stream](const error_code& failed) {
                                       if (watcher->active && (failed || IsClosed(stream))) {
                                         watcher->Gone();
                                       }
                                     }));
  }

 private:
  const std::shared_ptr<Watcher> watcher_;
  std::function<void()>& on_abort_;
  asio::cancellation_signal cancel_;
};

}  // namespace

void Exchange::StopReading() {
  response_.CloseAfterwards();
  stream_.cancel();
}

std::unique_ptr<Exchange::GoneWatch> Exchange::WatchGone(std::function<void()> on_gone) {
  auto watcher = std::make_shared<Watcher>(Watcher{.on_gone = std::move(on_gone)});
  auto watch = std::make_unique<SocketWatch>(std::move(watcher), on_abort_);
  if (buffer_.size() == 0) {  // Else the next request is here already.
    watch->WatchSocket(stream_);
  }
  return watch;
}

}  // namespace quorate::http
