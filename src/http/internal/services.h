// What the handlers share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "cluster/node.h"
#include "http/internal/child_gate.h"
#include "http/internal/exchange.h"
#include "http/internal/hop.h"
#include "http/internal/http_metrics.h"
#include "http/ref_cache.h"
#include "http/server.h"
#include "http/view_cache.h"

namespace quorate::http {

inline constexpr std::string_view kAgent = "quorate/0.1.0";

// Safe from any thread. Outlives all requests.
struct Services {
  const HttpOptions& options;
  const HttpDeps& deps;
  HttpMetrics& metrics;
  RefCache& refs;
  ViewCache& views;
  ChildGate& children;  // `git upload-pack`
  ChildGate& indexers;  // `git index-pack`, while packs arrive
  const std::atomic<bool>& stopping;
  const std::atomic<std::uint16_t>& port;  // That is listened on; 0 for a moment at the start.
};

using RepositoryHandle = std::shared_ptr<cluster::Repository>;

// kNotFound, or kUnavailable, kCorruption as Node::FindRepository.
Awaitable<Result<RepositoryHandle>> FindRepository(const Services& services, std::string name);

// A snapshot, with the repository's record in it.
struct RepositoryView {
  txn::Snapshot snapshot;
  txn::RepositoryInfo info;
};
Result<RepositoryView> ViewOf(const cluster::Repository& repository, txn::Snapshot snapshot);
Awaitable<Result<txn::Snapshot>> TakeSnapshot(cluster::Repository& repository);

// Yields what `read(const RepositoryView&)`, a Result, returns; it is called on the pool, with
// everything in view that was committed before. Also fails as ReadSnapshot() does, and with
// kNotFound if the repository is gone.
template <class Read>
Awaitable<std::invoke_result_t<Read&, const RepositoryView&>> ReadRepository(
    const Services& services, cluster::Repository& repository, Read read) {
  using T = std::invoke_result_t<Read&, const RepositoryView&>;
  // Each hop costs as much as a small answer: so none to ask what is known, and one for the rest.
  std::optional<txn::Snapshot> asked;
  if (!repository.transactions().CurrentLsn()) {
    Result<txn::Snapshot> snapshot = co_await TakeSnapshot(repository);
    if (!snapshot) {
      co_return std::move(snapshot).error();
    }
    asked = *std::move(snapshot);
  }
  auto work = [&repository, &asked, &read]() -> T {
    if (!asked) {
      asked = QUORATE_TRY(repository.transactions().LocalSnapshot());
    }
    const RepositoryView view = QUORATE_TRY(ViewOf(repository, *std::move(asked)));
    return read(view);
  };
  co_return co_await OnPool(services.deps.git, std::move(work));
}

// An error, as text, with the status of the error map. The connection may go on.
Awaitable<void> SendError(Exchange& exchange, const Error& error);
// What RequestBody::Read() failed with, as a 4xx; after a client that left, for the log only.
Awaitable<void> SendBodyError(Exchange& exchange, const Error& error);
Error ClientGone();
Awaitable<void> SendText(Exchange& exchange, unsigned status, std::string_view text);
// 405, with what is allowed.
Awaitable<void> SendMethodNotAllowed(Exchange& exchange, std::string_view allowed);

// 200, uncacheable, as Git's own server says it.
ResponseHead GitHead(std::string content_type);

}  // namespace quorate::http
