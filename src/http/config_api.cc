#include "http/internal/config_api.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "git/repository_config.h"
#include "http/internal/json_answers.h"
#include "http/internal/transact.h"
#include "http/internal/uri.h"

namespace quorate::http {
namespace {

using Values = std::vector<std::string>;

struct SetRequest {
  Values values;                   // Empty: unset.
  std::optional<Values> expected;  // Empty inside: the variable must not be set.
};

Result<Values> ParseValues(const Json& json, const std::string& member) {
  const Error wrong(Code::kInvalidArgument, "\"" + member + "\" must be an array of strings");
  if (!json.is_array()) {
    return wrong;
  }
  Values values;
  for (const Json& value : json) {
    if (!value.is_string()) {
      return wrong;
    }
    values.push_back(value.get<std::string>());
  }
  return values;
}

Result<SetRequest> ParseSet(const std::string& body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("values")) {
    return Error(Code::kInvalidArgument, "the body must be a JSON object with \"values\"");
  }
  SetRequest request;
  for (const auto& member : json.items()) {
    if (member.key() == "values") {
      request.values = QUORATE_TRY(ParseValues(member.value(), "values"));
    } else if (member.key() == "expected") {
      request.expected = QUORATE_TRY(ParseValues(member.value(), "expected"));
    } else {
      return Error(Code::kInvalidArgument, "unknown member \"" + Printable(member.key()) +
                                               "\"; there are values and expected");
    }
  }
  return request;
}

}  // namespace

Awaitable<void> ListConfig(const Services& services, Exchange& exchange, std::string name,
                           std::string_view query) {
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
    co_return;
  }
  const std::string prefix = FindQueryValue(query, "prefix").value_or("");
  auto read = [&prefix](const RepositoryView& view) -> Result<Json> {
    Json list = Json::array();
    QUORATE_TRY(
        view.snapshot.ForEachConfig(view.info.id, prefix, [&list](const git::ConfigEntry& entry) {
          list.push_back({{"name", entry.name}, {"values", entry.values}});
          return true;
        }));
    return Json{{"applied", view.snapshot.lsn().value}, {"config", std::move(list)}};
  };
  const Result<Json> json = co_await ReadRepository(services, **repository, std::move(read));
  if (!json) {
    co_await SendJsonError(exchange, json.error());
    co_return;
  }
  co_await SendJson(exchange, 200, *json);
}

Awaitable<void> SetConfig(const Services& services, Exchange& exchange, std::string name,
                          std::string_view variable) {
  const std::optional<std::string> decoded = PercentDecode(variable);
  const std::optional<std::string> canonical =
      decoded ? git::CanonicalConfigName(*decoded) : std::nullopt;
  if (!canonical) {
    const Error error(Code::kInvalidArgument,
                      "'" + Printable(variable) + "' is no variable's name, such as gc.auto");
    co_await SendJsonError(exchange, error);
    co_return;
  }
  const std::optional<std::string> body = co_await ReadJsonBody(exchange);
  if (!body) {
    co_return;
  }
  const Result<SetRequest> request = ParseSet(*body);
  if (!request) {
    co_await SendJsonError(exchange, request.error());
    co_return;
  }
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
    co_return;
  }
  auto stage = [&](txn::Transaction& transaction) {
    return transaction.StageConfig((*repository)->id(), *canonical, request->expected,
                                   request->values);
  };
  const Result<txn::CommitOutcome> outcome =
      co_await Transact(services, exchange, **repository, Attempts::kOne, stage);
  if (!outcome) {
    co_await SendJsonError(exchange, outcome.error());
    co_return;
  }
  Json json = {{"name", *canonical}, {"values", request->values}};
  json["lsn"] = outcome->lsn.value;  // 0: it had these values already.
  co_await SendJson(exchange, 200, json);
}

}  // namespace quorate::http
