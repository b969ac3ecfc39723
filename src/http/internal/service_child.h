// ServiceChild: a `git` process whose pipes are driven by coroutines, so that no thread waits for
// it.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/child.h"
#include "env/strand.h"
#include "git/view.h"
#include "http/internal/asio.h"

namespace quorate::http {

// Belongs to one strand. Destroying it kills the process (on the pool, where waiting is allowed);
// no operation is then under way.
class ServiceChild {
 public:
  // `launcher` and `pool` outlive it.
  static Awaitable<Result<std::unique_ptr<ServiceChild>>> Launch(env::ChildLauncher& launcher,
                                                                 env::StrandPool& pool,
                                                                 git::CommandLine command);
  ~ServiceChild();

  ServiceChild(const ServiceChild&) = delete;
  ServiceChild& operator=(const ServiceChild&) = delete;

  // kUnavailable: the process does not read any more.
  Awaitable<Status> WriteInput(std::string_view bytes);
  void CloseInput();
  // Empty at the end. Valid until the next call.
  Awaitable<std::string_view> ReadOutput();
  // All of it, cut to a few lines; ends with the process.
  Awaitable<std::string> CollectErrors();
  // Its exit status, or 128 + signal. Once, after its output ended.
  Awaitable<Result<int>> Wait();

  void Kill() { child_->Kill(); }

 private:
  ServiceChild(std::unique_ptr<env::Child> child, env::StrandPool& pool,
               const asio::any_io_executor& executor);

  std::unique_ptr<env::Child> child_;  // Owns the descriptors that the streams below borrow.
  env::StrandPool& pool_;
  asio::posix::stream_descriptor input_;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor errors_;
  std::string piece_;
};

}  // namespace quorate::http
