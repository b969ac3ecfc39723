#include "server/config_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "git/repository_config.h"

namespace quorate::server {
namespace {

using Json = nlohmann::json;

std::string Target(const RepoConfigArguments& arguments) {
  return fmt::format("/api/v1/repositories/{}/config", PercentEncode(arguments.name));
}

Result<Json> FetchConfig(ApiClient& client, const RepoConfigArguments& arguments,
                         std::string_view prefix) {
  const std::string body = QUORATE_TRY(client.Request(
      "GET", fmt::format("{}?prefix={}", Target(arguments), PercentEncode(prefix)), ""));
  const Json document = Json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("config")) {
    return Error(Code::kInternal, "the server's answer is not as expected");
  }
  return document.at("config");
}

Status Put(ApiClient& client, const RepoConfigArguments& arguments,
           const std::vector<std::string>& values) {
  Json request = {{"values", values}};
  if (arguments.expected_given || arguments.expected_unset) {
    request["expected"] = arguments.expected;
  }
  const std::string target =
      fmt::format("{}/{}", Target(arguments), PercentEncode(arguments.variable));
  QUORATE_TRY(client.Request("PUT", target, request.dump()));
  return Ok();
}

}  // namespace

Status RepoConfigList(ApiClient& client, const RepoConfigArguments& arguments) {
  const Json config = QUORATE_TRY(FetchConfig(client, arguments, ""));
  if (arguments.json) {
    fmt::print("{}\n", config.dump(2));
    return Ok();
  }
  for (const Json& entry : config) {
    for (const Json& value : entry.at("values")) {
      fmt::print("{}={}\n", entry.at("name").get<std::string>(), value.get<std::string>());
    }
  }
  return Ok();
}

Status RepoConfigGet(ApiClient& client, const RepoConfigArguments& arguments) {
  const auto name = git::CanonicalConfigName(arguments.variable);
  if (!name) {
    return Error(Code::kInvalidArgument,
                 fmt::format("'{}' is no variable's name", arguments.variable));
  }
  const Json config = QUORATE_TRY(FetchConfig(client, arguments, *name));
  const auto found = std::ranges::find_if(
      config, [&name](const Json& entry) { return entry.value("name", "") == *name; });
  if (found == config.end()) {
    return Error(Code::kNotFound, fmt::format("{} is not set in {}", *name, arguments.name));
  }
  for (const Json& value : found->at("values")) {
    fmt::print("{}\n", value.get<std::string>());
  }
  return Ok();
}

Status RepoConfigSet(ApiClient& client, const RepoConfigArguments& arguments) {
  return Put(client, arguments, arguments.values);
}

Status RepoConfigUnset(ApiClient& client, const RepoConfigArguments& arguments) {
  return Put(client, arguments, {});
}

}  // namespace quorate::server
