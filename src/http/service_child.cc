#include "http/internal/service_child.h"

#include <array>
#include <boost/asio/write.hpp>
#include <utility>

#include "http/internal/hop.h"

namespace quorate::http {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kErrorBytesMax = 2000;

}  // namespace

ServiceChild::ServiceChild(std::unique_ptr<env::Child> child, env::StrandPool& pool,
                           const asio::any_io_executor& executor)
    : child_(std::move(child)),
      pool_(pool),
      input_(executor, child_->stdin_fd()),
      output_(executor, child_->stdout_fd()),
      errors_(executor, child_->stderr_fd()) {
  piece_.resize(kPieceBytes);
}

ServiceChild::~ServiceChild() {
  for (asio::posix::stream_descriptor* stream : {&input_, &output_, &errors_}) {
    if (stream->is_open()) {
      stream->release();
    }
  }
  pool_.Post([child = std::move(child_)] {});
}

Awaitable<Result<std::unique_ptr<ServiceChild>>> ServiceChild::Launch(env::ChildLauncher& launcher,
                                                                      env::StrandPool& pool,
                                                                      git::CommandLine command) {
  env::ChildOptions options;
  options.argv = std::move(command.argv);
  options.environment = std::move(command.environment);
  options.pipe_stdin = true;
  options.pipe_stdout = true;
  options.pipe_stderr = true;
  auto launch = [&launcher, &options] { return launcher.Launch(options); };
  Result<std::unique_ptr<env::Child>> child = co_await OnPool(pool, std::move(launch));
  if (!child) {
    co_return std::move(child).error();
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_return std::unique_ptr<ServiceChild>(new ServiceChild(std::move(*child), pool, executor));
}

Awaitable<Status> ServiceChild::WriteInput(std::string_view bytes) {
  error_code failed;
  co_await asio::async_write(input_, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, failed));
  if (failed) {
    co_return Error(Code::kUnavailable, "the git process does not read: " + failed.message());
  }
  co_return Ok();
}

void ServiceChild::CloseInput() {
  if (input_.is_open()) {
    input_.release();
    child_->CloseStdin();
  }
}

Awaitable<std::string_view> ServiceChild::ReadOutput() {
  error_code failed;
  const std::size_t size = co_await output_.async_read_some(
      asio::buffer(piece_), asio::redirect_error(asio::use_awaitable, failed));
  co_return std::string_view(piece_).substr(0, failed ? 0 : size);
}

Awaitable<std::string> ServiceChild::CollectErrors() {
  std::string text;
  std::array<char, 1024> piece{};
  error_code failed;
  while (!failed) {
    const std::size_t size = co_await errors_.async_read_some(
        asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failed));
    if (text.size() < kErrorBytesMax) {
      text.append(piece.data(), std::min(size, kErrorBytesMax - text.size()));
    }
  }
  co_return text;
}

Awaitable<Result<int>> ServiceChild::Wait() {
  auto wait = [this] { return child_->Wait(); };
  co_return co_await OnPool(pool_, std::move(wait));
}

}  // namespace quorate::http
