#include "http/internal/routes.h"

#include <utility>
#include <variant>

#include "git/http_path.h"
#include "http/internal/admin_api.h"
#include "http/internal/hop.h"
#include "http/internal/receive_pack.h"
#include "http/internal/upload_pack.h"
#include "http/internal/uri.h"

namespace quorate::http {
namespace {

unsigned StatusOf(git::TargetRefusal::Kind kind) {
  switch (kind) {
    case git::TargetRefusal::Kind::kMalformed:
      return 400;
    case git::TargetRefusal::Kind::kForbidden:
      return 403;
    case git::TargetRefusal::Kind::kNotFound:
      return 404;
  }
  QUORATE_CHECK(false);
}

Awaitable<void> HandleReady(const Services& services, Exchange& exchange) {
  Status ready = Ok();
  if (services.stopping.load()) {
    ready = Error(Code::kUnavailable, "stopping");
  } else if (services.deps.ready) {
    ready = services.deps.ready();
  }
  if (ready) {
    co_await SendText(exchange, 200, "ready");
  } else {
    co_await SendText(exchange, 503, ready.error().message());
  }
}

Awaitable<void> HandleMetrics(const Services& services, Exchange& exchange) {
  auto render = [&services] { return services.deps.metrics.Render(); };
  const std::string text = co_await OnPool(services.deps.git, std::move(render));
  ResponseHead head;
  head.content_type = "text/plain; version=0.0.4; charset=utf-8";
  const Status sent = co_await exchange.response().Send(std::move(head), text);
  static_cast<void>(sent);  // A client that left needs no answer.
}

// Sets the body's coding up, or answers and returns false.
Awaitable<bool> AcceptBody(Exchange& exchange, git::Service service) {
  const std::string wanted = "application/x-" + std::string(git::ServiceName(service)) + "-request";
  if (MediaType(exchange.head().Find("content-type")) != wanted) {
    const std::string text = "Content-Type must be " + wanted;
    co_await SendText(exchange, 415, text);
    co_return false;
  }
  const std::string coding = MediaType(exchange.head().Find("content-encoding"));
  if (coding == "gzip" || coding == "x-gzip") {
    exchange.body().DecodeGzip();
  } else if (!coding.empty() && coding != "identity") {
    co_await SendText(exchange, 415, "unknown Content-Encoding; gzip is known");
    co_return false;
  }
  co_return true;
}

Awaitable<void> HandleGit(const Services& services, Exchange& exchange, git::GitTarget target) {
  const bool info_refs = target.endpoint == git::GitTarget::Endpoint::kInfoRefs;
  exchange.notes().repository = target.repository;
  exchange.notes().service =
      (info_refs ? "info/refs " : "") + std::string(git::ServiceName(target.service));
  if (exchange.head().method() != (info_refs ? "GET" : "POST")) {
    co_await SendMethodNotAllowed(exchange, info_refs ? "GET" : "POST");
    co_return;
  }
  if (!info_refs) {
    const bool accepted = co_await AcceptBody(exchange, target.service);
    if (!accepted) {
      co_return;
    }
  }
  Result<RepositoryHandle> repository = co_await FindRepository(services, target.repository);
  const bool creatable = services.options.create_on_push &&
                         target.service == git::Service::kReceivePack &&
                         cluster::Node::CheckRepositoryName(target.repository).has_value();
  if (!repository && repository.error().code() == Code::kNotFound && creatable) {
    repository = RepositoryHandle();  // The push will create it.
  }
  if (!repository) {
    co_await SendError(exchange, repository.error());
  } else if (info_refs) {
    co_await HandleInfoRefs(services, exchange, std::move(*repository), target.service);
  } else if (target.service == git::Service::kUploadPack) {
    co_await HandleUploadPack(services, exchange, std::move(*repository));
  } else {
    co_await HandleReceivePack(services, exchange, std::move(*repository), target.repository);
  }
}

Awaitable<void> RouteUncounted(const Services& services, Exchange& exchange) {
  const std::string_view target = exchange.head().target();
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query =
      path.size() == target.size() ? std::string_view() : target.substr(path.size() + 1);
  const bool health = path == "/readyz" || path == "/livez" || path == "/metrics";
  if (health) {
    exchange.notes().service = "health";
    if (exchange.head().method() != "GET") {
      co_await SendMethodNotAllowed(exchange, "GET");
    } else if (path == "/readyz") {
      co_await HandleReady(services, exchange);
    } else if (path == "/livez") {
      co_await SendText(exchange, 200, "alive");
    } else {
      co_await HandleMetrics(services, exchange);
    }
    co_return;
  }
  if (path.starts_with("/api/")) {
    exchange.notes().service = "api";
    co_await HandleAdminApi(services, exchange, path, query);
    co_return;
  }
  std::variant<git::GitTarget, git::TargetRefusal> parsed = git::ParseGitTarget(target);
  if (const auto* refusal = std::get_if<git::TargetRefusal>(&parsed); refusal != nullptr) {
    co_await SendText(exchange, StatusOf(refusal->kind), refusal->message);
    co_return;
  }
  co_await HandleGit(services, exchange, std::get<git::GitTarget>(std::move(parsed)));
}

}  // namespace

Awaitable<void> Route(const Services& services, Exchange& exchange) {
  co_await RouteUncounted(services, exchange);
  services.metrics.CountRequest(exchange.notes().service, exchange.response().status());
}

}  // namespace quorate::http
