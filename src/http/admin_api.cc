#include "http/internal/admin_api.h"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "http/internal/config_api.h"
#include "http/internal/consumers_api.h"
#include "http/internal/hop.h"
#include "http/internal/json_answers.h"
#include "http/internal/transactions_api.h"
#include "http/internal/uri.h"

namespace quorate::http {
namespace {

constexpr std::string_view kRepositories = "/api/v1/repositories";
constexpr std::size_t kLogLimitDefault = 50;
constexpr std::size_t kLogLimitMax = 10'000;

Json NodeIds(const std::vector<NodeId>& nodes) {
  Json ids = Json::array();
  for (const NodeId node : nodes) {
    ids.push_back(node.value);
  }
  return ids;
}

Json DescribeRepository(const cluster::Repository& repository) {
  return {{"name", repository.name()},
          {"partition", repository.partition().value},
          {"object_format", git::FormatName(repository.format())}};
}

Json EventJson(const txn::RefEvent& event) {
  Json json = {{"lsn", event.lsn.value},     {"transaction", HexEncode(event.transaction_id)},
               {"actor", event.actor},       {"time_unix_micros", event.time_unix_micros},
               {"ref", event.name},          {"old", RefJson(event.before)},
               {"new", RefJson(event.after)}};
  json["push_options"] = event.push_options;
  return json;
}

Result<Json> ListRepositories(const Services& services) {
  const auto repositories = QUORATE_TRY(services.deps.node.ListRepositories());
  Json list = Json::array();
  for (const cluster::RepositoryDescription& repository : repositories) {
    list.push_back({{"name", repository.name},
                    {"partition", repository.partition.value},
                    {"object_format", git::FormatName(repository.format)}});
  }
  return Json{{"repositories", std::move(list)}};
}

std::string OwnAddress(const Services& services) {
  const bool v6 = services.options.host.find(':') != std::string::npos;
  return (v6 ? "[" + services.options.host + "]" : services.options.host) + ":" +
         std::to_string(services.port.load());
}

Result<Json> DescribeCluster(const Services& services) {
  const auto partitions = QUORATE_TRY(services.deps.node.DescribePartitions());
  Json list = Json::array();
  for (const cluster::PartitionDescription& partition : partitions) {
    list.push_back({{"id", partition.id.value},
                    {"leader", partition.leader.value},
                    {"voters", NodeIds(partition.voters)},
                    {"learners", NodeIds(partition.learners)},
                    {"applied", partition.applied.value},
                    {"fenced", partition.fenced},
                    {"repositories", partition.repositories}});
  }
  Json nodes = Json::array();
  nodes.push_back({{"id", services.deps.node.id().value},
                   {"http", OwnAddress(services)},
                   {"peer", services.options.peer_address},
                   {"alive", true}});
  return Json{{"nodes", std::move(nodes)}, {"partitions", std::move(list)}};
}

struct CreateRequest {
  cluster::CreateRepositoryOptions options;
};

Result<CreateRequest> ParseCreate(const std::string& body, const std::string& default_branch) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Error(Code::kInvalidArgument, "the body must be a JSON object");
  }
  CreateRequest request;
  request.options.default_branch = default_branch;
  for (const auto& member : json.items()) {
    if (!member.value().is_string()) {
      return Error(Code::kInvalidArgument, "\"" + member.key() + "\" must be a string");
    }
    const auto value = member.value().get<std::string>();
    if (member.key() == "name") {
      request.options.name = value;
    } else if (member.key() == "object_format") {
      const std::optional<git::ObjectFormat> format = git::ParseFormatName(value);
      if (!format.has_value()) {
        return Error(Code::kInvalidArgument, "object_format must be sha1 or sha256");
      }
      request.options.format = *format;
    } else if (member.key() == "default_branch") {
      request.options.default_branch = value.starts_with("refs/") ? value : "refs/heads/" + value;
    } else {
      return Error(Code::kInvalidArgument,
                   "unknown member \"" + member.key() +
                       "\"; there are name, object_format and default_branch");
    }
  }
  QUORATE_TRY(cluster::Node::CheckRepositoryName(request.options.name));
  return request;
}

Awaitable<void> Create(const Services& services, Exchange& exchange) {
  const std::optional<std::string> body = co_await ReadJsonBody(exchange);
  if (!body) {
    co_return;
  }
  Result<CreateRequest> request = ParseCreate(*body, services.options.default_branch);
  if (!request) {
    co_await SendJsonError(exchange, request.error());
    co_return;
  }
  exchange.notes().repository = request->options.name;
  auto start = [&services, &request](Callback<Result<RepositoryHandle>> done) {
    services.deps.node.CreateRepository(std::move(request->options), std::move(done));
  };
  const Result<RepositoryHandle> created =
      co_await AwaitCallback<Result<RepositoryHandle>>(std::move(start));
  if (!created) {
    co_await SendJsonError(exchange, created.error());
    co_return;
  }
  const Json json = DescribeRepository(**created);
  co_await SendJson(exchange, 201, json);
}

Awaitable<void> Delete(const Services& services, Exchange& exchange, std::string name) {
  auto start = [&services, &name](Callback<Status> done) {
    services.deps.node.DeleteRepository(name, std::move(done));
  };
  const Status deleted = co_await AwaitCallback<Status>(std::move(start));
  if (!deleted) {
    co_await SendJsonError(exchange, deleted.error());
    co_return;
  }
  Json json = Json::object();
  json["deleted"] = name;
  co_await SendJson(exchange, 200, json);
}

Awaitable<void> Describe(const Services& services, Exchange& exchange, std::string name) {
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
    co_return;
  }
  auto describe = [&repository](const RepositoryView& view) -> Result<Json> {
    Json json = DescribeRepository(**repository);
    json["head"] = RefJson(view.info.head);
    json["ref_version"] = view.info.ref_version.value;
    json["applied"] = view.snapshot.lsn().value;
    return json;
  };
  const Result<Json> json = co_await ReadRepository(services, **repository, std::move(describe));
  if (!json) {
    co_await SendJsonError(exchange, json.error());
    co_return;
  }
  co_await SendJson(exchange, 200, *json);
}

std::optional<std::size_t> ParseLimit(std::string_view query) {
  const std::optional<std::string> text = FindQueryValue(query, "limit");
  if (!text.has_value()) {
    return kLogLimitDefault;
  }
  std::size_t limit = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool good = parsed.ec == std::errc() && parsed.ptr == text->data() + text->size();
  return good && limit >= 1 && limit <= kLogLimitMax ? std::optional(limit) : std::nullopt;
}

Awaitable<void> ShowLog(const Services& services, Exchange& exchange, std::string name,
                        std::string_view query) {
  const std::optional<std::size_t> limit = ParseLimit(query);
  if (!limit.has_value()) {
    const Error error(Code::kInvalidArgument,
                      "limit must be between 1 and " + std::to_string(kLogLimitMax));
    co_await SendJsonError(exchange, error);
    co_return;
  }
  const Result<RepositoryHandle> repository = co_await FindRepository(services, std::move(name));
  if (!repository) {
    co_await SendJsonError(exchange, repository.error());
    co_return;
  }
  const std::string ref = FindQueryValue(query, "ref").value_or("");
  auto read = [&ref, &limit](const RepositoryView& view) {
    return view.snapshot.History(view.info.id, ref, *limit);
  };
  const Result<std::vector<txn::RefEvent>> events =
      co_await ReadRepository(services, **repository, std::move(read));
  if (!events) {
    co_await SendJsonError(exchange, events.error());
    co_return;
  }
  Json list = Json::array();
  for (const txn::RefEvent& event : *events) {
    list.push_back(EventJson(event));
  }
  Json json = Json::object();
  json["events"] = std::move(list);
  co_await SendJson(exchange, 200, json);
}

Awaitable<void> SendFromPool(const Services& services, Exchange& exchange,
                             Result<Json> (*make)(const Services&)) {
  auto work = [&services, make] { return make(services); };
  const Result<Json> json = co_await OnPool(services.deps.git, std::move(work));
  if (!json) {
    co_await SendJsonError(exchange, json.error());
    co_return;
  }
  co_await SendJson(exchange, 200, *json);
}

// What a path below "/api/v1/repositories/" names: a repository, or something of it.
struct RepositoryPath {
  std::string_view name;  // Escaped.
  // "log", "changes", "config", "consumers", "transactions"; empty: the repository itself.
  std::string_view resource{};
  std::string_view argument{};  // "config/ARGUMENT", "consumers/ARGUMENT", "transactions/ARGUMENT".
};

// A repository whose name ends like a resource is told apart by escaped slashes: "a%2Flog".
RepositoryPath ParseRepositoryPath(std::string_view rest) {
  for (const std::string_view resource : {"log", "changes", "config", "consumers"}) {
    if (rest.size() > resource.size() + 1 && rest.ends_with(resource) &&
        rest[rest.size() - resource.size() - 1] == '/') {
      return {.name = rest.substr(0, rest.size() - resource.size() - 1), .resource = resource};
    }
  }
  for (const std::string_view resource : {"config", "consumers", "transactions"}) {
    const std::string between = "/" + std::string(resource) + "/";
    const auto at = rest.rfind(between);
    if (at == std::string_view::npos || at == 0) {
      continue;
    }
    const std::string_view argument = rest.substr(at + between.size());
    const bool deeper = argument.find('/') != std::string_view::npos;
    if (!deeper || (resource == "consumers" && argument.ends_with("/ack"))) {
      return {.name = rest.substr(0, at), .resource = resource, .argument = argument};
    }
  }
  return {.name = rest};
}

Awaitable<void> HandleResource(const Services& services, Exchange& exchange,
                               const RepositoryPath& path, std::string name,
                               std::string_view query) {
  const bool sets = path.resource == "config" && !path.argument.empty();
  const std::string_view allowed = sets ? "PUT" : "GET";
  if (path.resource == "consumers") {
    co_await HandleConsumers(services, exchange, std::move(name), path.argument);
  } else if (exchange.head().method() != allowed) {
    co_await SendMethodNotAllowed(exchange, allowed);
  } else if (sets) {
    co_await SetConfig(services, exchange, std::move(name), path.argument);
  } else if (path.resource == "config") {
    co_await ListConfig(services, exchange, std::move(name), query);
  } else if (path.resource == "log") {
    co_await ShowLog(services, exchange, std::move(name), query);
  } else if (path.resource == "changes") {
    co_await ShowChanges(services, exchange, std::move(name), query);
  } else {
    co_await ShowTransaction(services, exchange, std::move(name), path.argument);
  }
}

// `rest` is what follows "/api/v1/repositories/".
Awaitable<void> HandleOne(const Services& services, Exchange& exchange, std::string_view rest,
                          std::string_view query) {
  const std::string_view method = exchange.head().method();
  const RepositoryPath path = ParseRepositoryPath(rest);
  std::optional<std::string> name = PercentDecode(path.name);
  const Status valid = name.has_value() ? cluster::Node::CheckRepositoryName(*name)
                                        : Status(Error(Code::kInvalidArgument, "malformed escape"));
  if (!valid) {
    co_await SendJsonError(exchange, valid.error());
    co_return;
  }
  exchange.notes().repository = *name;
  if (!path.resource.empty()) {
    co_await HandleResource(services, exchange, path, std::move(*name), query);
  } else if (method == "GET") {
    co_await Describe(services, exchange, std::move(*name));
  } else if (method == "DELETE") {
    co_await Delete(services, exchange, std::move(*name));
  } else {
    co_await SendMethodNotAllowed(exchange, "GET, DELETE");
  }
}

}  // namespace

Awaitable<void> HandleAdminApi(const Services& services, Exchange& exchange, std::string_view path,
                               std::string_view query) {
  const std::string_view method = exchange.head().method();
  if (path == "/api/v1/cluster") {
    if (method == "GET") {
      co_await SendFromPool(services, exchange, DescribeCluster);
    } else {
      co_await SendMethodNotAllowed(exchange, "GET");
    }
  } else if (path == kRepositories) {
    if (method == "GET") {
      co_await SendFromPool(services, exchange, ListRepositories);
    } else if (method == "POST") {
      co_await Create(services, exchange);
    } else {
      co_await SendMethodNotAllowed(exchange, "GET, POST");
    }
  } else if (path.starts_with(kRepositories) && path.size() > kRepositories.size() + 1 &&
             path[kRepositories.size()] == '/') {
    co_await HandleOne(services, exchange, path.substr(kRepositories.size() + 1), query);
  } else {
    const Error error(Code::kNotFound, "no such resource");
    co_await SendJsonError(exchange, error);
  }
}

}  // namespace quorate::http
