#include "http/internal/services.h"

#include <utility>

#include "http/error_map.h"
#include "http/internal/hop.h"

namespace quorate::http {

Awaitable<Result<RepositoryHandle>> FindRepository(const Services& services, std::string name) {
  if (RepositoryHandle open = services.deps.node.FindOpenRepository(name)) {
    co_return open;
  }
  auto start = [&services,
                name = std::move(name)](Callback<Result<RepositoryHandle>> done) mutable {
    services.deps.node.FindRepository(std::move(name), std::move(done));
  };
  co_return co_await AwaitCallback<Result<RepositoryHandle>>(std::move(start));
}

Awaitable<Result<txn::Snapshot>> TakeSnapshot(cluster::Repository& repository) {
  auto start = [&repository](Callback<Result<txn::Snapshot>> done) {
    repository.transactions().ReadSnapshot(std::move(done));
  };
  co_return co_await AwaitCallback<Result<txn::Snapshot>>(std::move(start));
}

Result<RepositoryView> ViewOf(const cluster::Repository& repository, txn::Snapshot snapshot) {
  auto info = QUORATE_TRY(snapshot.FindRepository(repository.id()));
  if (!info.has_value()) {
    return Error(Code::kNotFound, "no repository " + repository.name());
  }
  return RepositoryView{std::move(snapshot), std::move(*info)};
}

Awaitable<void> SendText(Exchange& exchange, unsigned status, std::string_view text) {
  ResponseHead head = PlainTextHead(status);
  if (status == 503 || status == 429) {
    head.headers.emplace_back("Retry-After", "1");
  }
  std::string body(text);
  body += '\n';
  const Status sent = co_await exchange.response().Send(std::move(head), body);
  static_cast<void>(sent);  // A client that left needs no answer.
}

Awaitable<void> SendError(Exchange& exchange, const Error& error) {
  const HttpError mapped = HttpErrorOf(error.code());
  ResponseHead head = PlainTextHead(mapped.status);
  if (mapped.retry_after_seconds > 0) {
    head.headers.emplace_back("Retry-After", std::to_string(mapped.retry_after_seconds));
  }
  const std::string body = error.message() + "\n";
  const Status sent = co_await exchange.response().Send(std::move(head), body);
  static_cast<void>(sent);  // A client that left needs no answer.
}

Awaitable<void> SendBodyError(Exchange& exchange, const Error& error) {
  if (error.code() == Code::kCancelled) {
    exchange.response().CloseAfterwards();
  }
  if (error.code() == Code::kResourceExhausted) {
    co_await SendText(exchange, 413, error.message());
  } else {
    co_await SendError(exchange, error);
  }
}

Error ClientGone() {
  return {Code::kCancelled, "the client went away"};
}

Awaitable<void> SendMethodNotAllowed(Exchange& exchange, std::string_view allowed) {
  ResponseHead head = PlainTextHead(405);
  head.headers.emplace_back("Allow", allowed);
  const Status sent = co_await exchange.response().Send(std::move(head), "method not allowed\n");
  static_cast<void>(sent);  // A client that left needs no answer.
}

ResponseHead GitHead(std::string content_type) {
  return {.status = 200,
          .content_type = std::move(content_type),
          .headers = {{"Cache-Control", "no-cache, max-age=0, must-revalidate"},
                      {"Pragma", "no-cache"},
                      {"Expires", "Fri, 01 Jan 1980 00:00:00 GMT"}}};
}

}  // namespace quorate::http
