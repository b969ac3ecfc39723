#include "server/admin_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace quorate::server {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRepositories = "/api/v1/repositories";

Result<Json> Fetch(ApiClient& client, std::string_view target) {
  const std::string body = QUORATE_TRY(client.Request("GET", target, ""));
  Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) {
    return Error(Code::kInternal, "the server's answer is not JSON; is it a quorate server?");
  }
  return document;
}

void PrintJson(const Json& document) {
  fmt::print("{}\n", document.dump(2));
}

std::string Text(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) {
    return "-";
  }
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string Join(const Json& list) {
  std::string text;
  for (const Json& item : list) {
    text += text.empty() ? "" : ",";
    text += item.is_string() ? item.get<std::string>() : item.dump();
  }
  return text.empty() ? "-" : text;
}

std::string ShortId(const Json& event, const char* field) {
  const std::string id = Text(event, field);
  return id.size() > 12 ? id.substr(0, 12) : id;
}

std::string LocalTime(const Json& event) {
  const std::chrono::microseconds since_epoch(event.value("time_unix_micros", std::int64_t{0}));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace

Status RepoCreate(ApiClient& client, const RepoCreateArguments& arguments) {
  if (arguments.replicas > 1) {
    return Error(Code::kInvalidArgument,
                 fmt::format("--replicas {}: this cluster has one node", arguments.replicas));
  }
  Json request = {{"name", arguments.name}};
  if (!arguments.object_format.empty()) {
    request["object_format"] = arguments.object_format;
  }
  if (!arguments.default_branch.empty()) {
    request["default_branch"] = arguments.default_branch;
  }
  QUORATE_TRY(client.Request("POST", kRepositories, request.dump()));
  fmt::print("created {}\n", arguments.name);
  return Ok();
}

Status RepoList(ApiClient& client, bool json) {
  const Json document = QUORATE_TRY(Fetch(client, kRepositories));
  if (json) {
    PrintJson(document);
    return Ok();
  }
  for (const Json& repository : document.value("repositories", Json::array())) {
    fmt::print("{}\n", Text(repository, "name"));
  }
  return Ok();
}

Status RepoInfo(ApiClient& client, const std::string& name, bool json) {
  const Json document =
      QUORATE_TRY(Fetch(client, fmt::format("{}/{}", kRepositories, PercentEncode(name))));
  if (json) {
    PrintJson(document);
    return Ok();
  }
  for (const auto& [field, value] : document.items()) {
    fmt::print("{:<16} {}\n", field, Text(document, field.c_str()));
  }
  return Ok();
}

Status RepoDelete(ApiClient& client, const std::string& name) {
  QUORATE_TRY(
      client.Request("DELETE", fmt::format("{}/{}", kRepositories, PercentEncode(name)), ""));
  fmt::print("deleted {}\n", name);
  return Ok();
}

Status RepoLog(ApiClient& client, const RepoLogArguments& arguments) {
  const Json document = QUORATE_TRY(Fetch(
      client, fmt::format("{}/{}/log?limit={}&ref={}", kRepositories, PercentEncode(arguments.name),
                          arguments.limit, PercentEncode(arguments.ref))));
  if (arguments.json) {
    PrintJson(document);
    return Ok();
  }
  for (const Json& event : document.value("events", Json::array())) {
    fmt::print("{:>8}  {}  {:>12} -> {:<12}  {}  {}\n", Text(event, "lsn"), LocalTime(event),
               ShortId(event, "old"), ShortId(event, "new"), Text(event, "ref"),
               Text(event, "actor"));
  }
  return Ok();
}

Status RepoTransaction(ApiClient& client, const RepoTransactionArguments& arguments) {
  const Json document = QUORATE_TRY(
      Fetch(client, fmt::format("{}/{}/transactions/{}", kRepositories,
                                PercentEncode(arguments.name), PercentEncode(arguments.id))));
  if (arguments.json) {
    PrintJson(document);
    return Ok();
  }
  const std::string state = Text(document, "state");
  if (state == "committed") {
    fmt::print("committed at {}, {}, by {}\n", Text(document, "lsn"), LocalTime(document),
               Text(document, "actor"));
  } else if (state == "aborted") {
    fmt::print("aborted, {}: {}: {}\n", LocalTime(document), Text(document, "code"),
               Text(document, "reason"));
  } else if (state == "in_flight") {
    fmt::print("unknown yet: it is in flight; ask again\n");
  } else if (state == "not_found") {
    fmt::print(
        "not committed; it never arrived, or it was aborted on another node or too long ago for "
        "the reason to be remembered\n");
  } else {
    fmt::print("too old to tell: ids are known from {} on, and it is not among them\n",
               Text(document, "known_from"));
  }
  return Ok();
}

Status ClusterStatus(ApiClient& client, bool json) {
  const Json document = QUORATE_TRY(Fetch(client, "/api/v1/cluster"));
  if (json) {
    PrintJson(document);
    return Ok();
  }
  fmt::print("{:>6}  {:<24} {:<24} {}\n", "NODE", "HTTP", "PEER", "ALIVE");
  for (const Json& node : document.value("nodes", Json::array())) {
    fmt::print("{:>6}  {:<24} {:<24} {}\n", Text(node, "id"), Text(node, "http"),
               Text(node, "peer"), Text(node, "alive"));
  }
  fmt::print("\n{:>9}  {:>6}  {:<10} {:<10} {:>10}  {:<6} {}\n", "PARTITION", "LEADER", "VOTERS",
             "LEARNERS", "APPLIED", "FENCED", "REPOSITORIES");
  for (const Json& partition : document.value("partitions", Json::array())) {
    fmt::print("{:>9}  {:>6}  {:<10} {:<10} {:>10}  {:<6} {}\n", Text(partition, "id"),
               Text(partition, "leader"), Join(partition.value("voters", Json::array())),
               Join(partition.value("learners", Json::array())), Text(partition, "applied"),
               Text(partition, "fenced"), Join(partition.value("repositories", Json::array())));
  }
  return Ok();
}

}  // namespace quorate::server
