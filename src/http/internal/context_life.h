// ContextLife: an io_context for which threads of other pools answer.
//
// A pool's thread that has posted a result still has the executor for a moment. By then the
// coroutine may have ended, its connection with it, and the listener be gone: the context, in which
// the executor lives, must not be. So it has shared owners, and whoever answers is one of them.
#pragma once

#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>

#include "http/internal/asio.h"

namespace quorate::http {

class ContextLife final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  // A context that Hold() can keep.
  static std::shared_ptr<asio::io_context> MakeContext() {
    auto context = std::make_shared<asio::io_context>();
    asio::make_service<ContextLife>(*context, context);
    return context;
  }

  // The context of `executor`; null if it was not made here: then its owner outlives the answers.
  static std::shared_ptr<asio::io_context> Hold(const asio::any_io_executor& executor) {
    auto& context = asio::query(executor, asio::execution::context_as<asio::execution_context&>);
    return asio::use_service<ContextLife>(context).context_.lock();
  }

  explicit ContextLife(asio::execution_context& context, std::weak_ptr<asio::io_context> self = {})
      : service(context), context_(std::move(self)) {}

 private:
  void shutdown() override {}

  const std::weak_ptr<asio::io_context> context_;
};

}  // namespace quorate::http
