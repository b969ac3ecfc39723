#include "http/internal/transactions_api.h"

#include <utility>

#include "base/bytes.h"
#include "http/internal/hop.h"
#include "http/internal/json_answers.h"
#include "http/internal/transaction_name.h"

namespace quorate::http {
namespace {

Json OutcomeJson(const std::string& id, const txn::TransactionOutcome& outcome) {
  Json json = {{"transaction", HexEncode(id)}, {"state", StateName(outcome.state)}};
  if (outcome.committed) {
    json["lsn"] = outcome.committed->lsn.value;
    json["time_unix_micros"] = outcome.committed->time_unix_micros;
    json["actor"] = outcome.committed->actor;
  }
  if (outcome.aborted) {
    json["code"] = CodeName(outcome.aborted->code);
    json["reason"] = outcome.aborted->reason;
    json["time_unix_micros"] = outcome.aborted->time_unix_micros;
  }
  json["known_from"] = outcome.known_from.value;
  return json;
}

}  // namespace

Awaitable<Result<txn::TransactionOutcome>> FindOutcome(cluster::Repository& repository,
                                                       std::string id) {
  auto start = [&repository,
                id = std::move(id)](Callback<Result<txn::TransactionOutcome>> done) mutable {
    repository.transactions().FindOutcome(std::move(id), std::move(done));
  };
  co_return co_await AwaitCallback<Result<txn::TransactionOutcome>>(std::move(start));
}

Awaitable<void> ShowTransaction(const Services& services, Exchange& exchange, std::string name,
                                std::string_view id) {
  const Result<std::string> raw = ParseTransactionId(id);
  if (!raw) {
    co_await SendJsonError(exchange, raw.error());
    co_return;
  }
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
    co_return;
  }
  const Result<txn::TransactionOutcome> outcome = co_await FindOutcome(**repository, *raw);
  if (!outcome) {
    co_await SendJsonError(exchange, outcome.error());
    co_return;
  }
  const Json json = OutcomeJson(*raw, *outcome);
  co_await SendJson(exchange, 200, json);
}

}  // namespace quorate::http
