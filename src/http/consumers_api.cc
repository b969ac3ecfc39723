#include "http/internal/consumers_api.h"

#include <charconv>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "http/error_map.h"
#include "http/internal/hop.h"
#include "http/internal/json_answers.h"
#include "http/internal/transact.h"
#include "http/internal/uri.h"
#include "txn/changes.h"
#include "txn/consumer.h"

namespace quorate::http {
namespace {

constexpr std::uint64_t kChangesDefault = 100;
constexpr std::uint64_t kChangesMax = 1000;
constexpr std::uint64_t kWaitSecondsMax = 60;
constexpr std::chrono::milliseconds kWaitTick{200};  // To look whether waiting still makes sense.

using Changes = std::vector<txn::CommittedChange>;

// With the range that a consumer lost, if that is what it says.
Awaitable<void> SendConsumerError(Exchange& exchange, const Error& error) {
  const txn::ConsumerCutOff* cut_off = txn::CutOffOf(error);
  if (cut_off == nullptr) {
    co_await SendJsonError(exchange, error);
    co_return;
  }
  Json json = ErrorJson(error);
  json["error"]["lost_first"] = cut_off->lost_first.value;
  json["error"]["lost_last"] = cut_off->lost_last.value;
  co_await SendJson(exchange, 410, json);
}

Json ConsumerJson(const txn::Consumer& consumer, const RepositoryView& view) {
  Json json = {{"name", consumer.name},
               {"acknowledged", consumer.acknowledged.value},
               {"created", consumer.created.value},
               {"lag", txn::LagOf(consumer, view.info, view.snapshot.lsn())},
               {"cut_off", consumer.cut_off()}};
  if (consumer.cut_off()) {
    json["lost_first"] = consumer.lost_first.value;
    json["lost_last"] = consumer.lost_last.value;
  }
  return json;
}

Json ChangeJson(const txn::CommittedChange& change) {
  Json json = {{"lsn", change.lsn.value},
               {"transaction", HexEncode(change.transaction_id)},
               {"actor", change.actor},
               {"time_unix_micros", change.time_unix_micros}};
  Json refs = Json::array();
  for (const txn::CommittedChange::Move& move : change.moves) {
    if (move.name == "HEAD") {
      json["head"] = {{"old", RefJson(move.before)}, {"new", RefJson(move.after)}};
    } else {
      refs.push_back(
          {{"ref", move.name}, {"old", RefJson(move.before)}, {"new", RefJson(move.after)}});
    }
  }
  json["refs"] = std::move(refs);
  for (const txn::CommittedChange::ConfigMove& move : change.configs) {
    json["config"].push_back({{"name", move.name}, {"old", move.before}, {"new", move.after}});
  }
  return json;
}

std::string ChangeLines(const Changes& changes) {
  std::string lines;
  for (const txn::CommittedChange& change : changes) {
    lines += ChangeJson(change).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

// A number in the query; `fallback` if there is none.
Result<std::uint64_t> QueryNumber(std::string_view query, std::string_view name,
                                  std::uint64_t fallback, std::uint64_t min, std::uint64_t max) {
  const std::optional<std::string> text = FindQueryValue(query, name);
  if (!text.has_value()) {
    return fallback;
  }
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size() || number < min ||
      number > max) {
    return Error(Code::kInvalidArgument, std::string(name) + " must be between " +
                                             std::to_string(min) + " and " + std::to_string(max));
  }
  return number;
}

struct ChangesQuery {
  std::string consumer;
  std::uint64_t limit = kChangesDefault;
  std::uint64_t wait_seconds = 0;
};

Result<ChangesQuery> ParseChangesQuery(std::string_view query) {
  ChangesQuery parsed;
  parsed.consumer = FindQueryValue(query, "consumer").value_or("");
  QUORATE_TRY(txn::CheckConsumerName(parsed.consumer));
  parsed.limit = QUORATE_TRY(QueryNumber(query, "limit", kChangesDefault, 1, kChangesMax));
  parsed.wait_seconds = QUORATE_TRY(QueryNumber(query, "wait", 0, 0, kWaitSecondsMax));
  return parsed;
}

struct Page {
  Changes changes;
  Lsn seen;  // What the snapshot contained.
};

Awaitable<Result<Page>> ReadPage(const Services& services, cluster::Repository& repository,
                                 const ChangesQuery& query) {
  auto read = [&repository, &query](const RepositoryView& view) -> Result<Page> {
    const txn::Consumer consumer =
        QUORATE_TRY(txn::FindFollowingConsumer(view.snapshot, view.info.id, query.consumer));
    Page page{.changes = {}, .seen = view.snapshot.lsn()};
    page.changes =
        QUORATE_TRY(repository.transactions().ReadChanges(view.snapshot, consumer, query.limit));
    return page;
  };
  co_return co_await ReadRepository(services, repository, std::move(read));
}

// Waits until more than `seen` is applied. False: the time is over, the client is gone, or the
// server stops.
Awaitable<bool> WaitForMore(const Services& services, Exchange& exchange,
                            cluster::Repository& repository, Lsn seen,
                            std::chrono::nanoseconds deadline) {
  bool gone = false;
  const auto watch =
      exchange.body().finished() ? exchange.WatchGone([&gone] { gone = true; }) : nullptr;
  std::uint64_t ticket = 0;
  bool over = false;
  auto start = [&](Callback<bool> done) {
    ticket = repository.transactions().WatchApplied(
        seen, [done = std::move(done)]() mutable { std::move(done)(true); });
  };
  std::function<Awaitable<void>()> tick = [&]() -> Awaitable<void> {
    over = gone || services.stopping.load() || services.deps.clock.Monotonic() >= deadline;
    if (over) {
      repository.transactions().EndWatch(ticket);
    }
    co_return;
  };
  co_await AwaitWithTicks<bool>(kWaitTick, std::move(tick), std::move(start));
  co_return !over && !gone;
}

Awaitable<void> SendConsumer(const Services& services, Exchange& exchange,
                             cluster::Repository& repository, unsigned status,
                             const std::string& consumer) {
  auto read = [&consumer](const RepositoryView& view) -> Result<Json> {
    const txn::Consumer found =
        QUORATE_TRY(txn::FindConsumer(view.snapshot, view.info.id, consumer));
    return ConsumerJson(found, view);
  };
  const Result<Json> json = co_await ReadRepository(services, repository, std::move(read));
  if (!json) {
    co_await SendJsonError(exchange, json.error());
    co_return;
  }
  co_await SendJson(exchange, status, *json);
}

Awaitable<void> ListAll(const Services& services, Exchange& exchange,
                        cluster::Repository& repository) {
  auto read = [](const RepositoryView& view) -> Result<Json> {
    Json list = Json::array();
    for (const txn::Consumer& consumer :
         QUORATE_TRY(txn::ListConsumers(view.snapshot, view.info.id))) {
      list.push_back(ConsumerJson(consumer, view));
    }
    return Json{{"consumers", std::move(list)}};
  };
  const Result<Json> json = co_await ReadRepository(services, repository, std::move(read));
  if (!json) {
    co_await SendJsonError(exchange, json.error());
    co_return;
  }
  co_await SendJson(exchange, 200, *json);
}

Awaitable<void> Create(const Services& services, Exchange& exchange,
                       cluster::Repository& repository) {
  const std::optional<std::string> body = co_await ReadJsonBody(exchange);
  if (!body) {
    co_return;
  }
  const Json json = Json::parse(*body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 1 || !json.contains("name") ||
      !json["name"].is_string()) {
    const Error error(Code::kInvalidArgument, R"(the body must be {"name":"..."})");
    co_await SendJsonError(exchange, error);
    co_return;
  }
  const auto consumer = json["name"].get<std::string>();
  auto stage = [&](txn::Transaction& transaction) {
    return transaction.StageConsumerCreate(repository.id(), consumer);
  };
  const Result<txn::CommitOutcome> done =
      co_await Transact(services, exchange, repository, Attempts::kUntilNobodyIsFaster, stage);
  if (!done) {
    co_await SendJsonError(exchange, done.error());
    co_return;
  }
  co_await SendConsumer(services, exchange, repository, 201, consumer);
}

Awaitable<void> Remove(const Services& services, Exchange& exchange,
                       cluster::Repository& repository, const std::string& consumer) {
  auto stage = [&](txn::Transaction& transaction) {
    return transaction.StageConsumerRemove(repository.id(), consumer);
  };
  const Result<txn::CommitOutcome> done =
      co_await Transact(services, exchange, repository, Attempts::kUntilNobodyIsFaster, stage);
  if (!done) {
    co_await SendJsonError(exchange, done.error());
    co_return;
  }
  Json json = Json::object();
  json["removed"] = consumer;
  co_await SendJson(exchange, 200, json);
}

Awaitable<void> Acknowledge(const Services& services, Exchange& exchange,
                            cluster::Repository& repository, const std::string& consumer) {
  const std::optional<std::string> body = co_await ReadJsonBody(exchange);
  if (!body) {
    co_return;
  }
  const Json json = Json::parse(*body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 1 || !json.contains("lsn") ||
      !json["lsn"].is_number_unsigned()) {
    const Error error(Code::kInvalidArgument, R"(the body must be {"lsn":N})");
    co_await SendJsonError(exchange, error);
    co_return;
  }
  const Lsn lsn{json["lsn"].get<std::uint64_t>()};
  auto stage = [&](txn::Transaction& transaction) {
    return transaction.StageConsumerAck(repository.id(), consumer, lsn);
  };
  const Result<txn::CommitOutcome> done =
      co_await Transact(services, exchange, repository, Attempts::kUntilNobodyIsFaster, stage);
  if (!done) {
    co_await SendConsumerError(exchange, done.error());
    co_return;
  }
  co_await SendConsumer(services, exchange, repository, 200, consumer);
}

Awaitable<void> HandleOneConsumer(const Services& services, Exchange& exchange,
                                  cluster::Repository& repository, std::string_view rest) {
  constexpr std::string_view kAck = "/ack";
  const bool ack = rest.ends_with(kAck);
  const std::string consumer(rest.substr(0, rest.size() - (ack ? kAck.size() : 0)));
  const std::string_view method = exchange.head().method();
  if (const Status good = txn::CheckConsumerName(consumer); !good) {
    co_await SendJsonError(exchange, good.error());
  } else if (ack && method == "POST") {
    co_await Acknowledge(services, exchange, repository, consumer);
  } else if (ack) {
    co_await SendMethodNotAllowed(exchange, "POST");
  } else if (method == "DELETE") {
    co_await Remove(services, exchange, repository, consumer);
  } else {
    co_await SendMethodNotAllowed(exchange, "DELETE");
  }
}

}  // namespace

Awaitable<void> ShowChanges(const Services& services, Exchange& exchange, std::string name,
                            std::string_view query) {
  const Result<ChangesQuery> parsed = ParseChangesQuery(query);
  if (!parsed) {
    co_await SendJsonError(exchange, parsed.error());
    co_return;
  }
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
    co_return;
  }
  const std::chrono::nanoseconds deadline =
      services.deps.clock.Monotonic() + std::chrono::seconds(parsed->wait_seconds);
  Result<Page> page = co_await ReadPage(services, **repository, *parsed);
  while (page && page->changes.empty() && services.deps.clock.Monotonic() < deadline) {
    if (!co_await WaitForMore(services, exchange, **repository, page->seen, deadline)) {
      break;
    }
    page = co_await ReadPage(services, **repository, *parsed);
  }
  if (!page) {
    co_await SendConsumerError(exchange, page.error());
    co_return;
  }
  ResponseHead head;
  head.content_type = "application/x-ndjson";
  head.headers.emplace_back("Cache-Control", "no-store");
  const std::string lines = ChangeLines(page->changes);
  const Status sent = co_await exchange.response().Send(std::move(head), lines);
  static_cast<void>(sent);  // A client that left needs no answer.
}

Awaitable<void> HandleConsumers(const Services& services, Exchange& exchange, std::string name,
                                std::string_view rest) {
  const std::string_view method = exchange.head().method();
  if (rest.empty() && method != "GET" && method != "POST") {
    co_await SendMethodNotAllowed(exchange, "GET, POST");
    co_return;
  }
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
  } else if (!rest.empty()) {
    co_await HandleOneConsumer(services, exchange, **repository, rest);
  } else if (method == "GET") {
    co_await ListAll(services, exchange, **repository);
  } else {
    co_await Create(services, exchange, **repository);
  }
}

}  // namespace quorate::http
