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

class SocketWatch final : public Exchange::GoneWatch {
 public:
  SocketWatch(Stream& stream, std::function<void()> on_gone)
      : state_(std::make_shared<State>(State{.on_gone = std::move(on_gone)})) {
    stream.socket().async_wait(
        asio::ip::tcp::socket::wait_read,
        asio::bind_cancellation_slot(cancel_.slot(),
                                     [state = state_, &stream](const error_code& failed) {
                                       if (state->active && (failed || IsClosed(stream))) {
                                         state->active = false;
                                         state->on_gone();
                                       }
                                     }));
  }
  ~SocketWatch() override {
    state_->active = false;
    cancel_.emit(asio::cancellation_type::all);
  }

 private:
  struct State {
    bool active = true;
    std::function<void()> on_gone;
  };

  // Readable without a byte to read; a byte would be the next request.
  static bool IsClosed(Stream& stream) {
    char byte = 0;
    error_code failed;
    stream.socket().non_blocking(true, failed);
    const std::size_t size = stream.socket().receive(asio::buffer(&byte, 1),
                                                     asio::ip::tcp::socket::message_peek, failed);
    return failed != asio::error::would_block && (failed || size == 0);
  }

  std::shared_ptr<State> state_;
  asio::cancellation_signal cancel_;
};

class NoWatch final : public Exchange::GoneWatch {};

}  // namespace

void Exchange::StopReading() {
  response_.CloseAfterwards();
  stream_.cancel();
}

std::unique_ptr<Exchange::GoneWatch> Exchange::WatchGone(std::function<void()> on_gone) {
  if (buffer_.size() != 0) {
    return std::make_unique<NoWatch>();  // The next request is here already.
  }
  return std::make_unique<SocketWatch>(stream_, std::move(on_gone));
}

}  // namespace quorate::http
