#include "server/consumer_commands.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

namespace quorate::server {
namespace {

using Json = nlohmann::json;

constexpr int kWaitSeconds = 20;  // Less than the client's timeout.

std::string ConsumersOf(const std::string& name) {
  return fmt::format("/api/v1/repositories/{}/consumers", PercentEncode(name));
}

// The LSN of the last of these lines.
Result<std::uint64_t> LastLsn(std::string_view lines) {
  lines.remove_suffix(1);
  const auto before = lines.rfind('\n');
  const Json last = Json::parse(before == std::string_view::npos ? lines : lines.substr(before + 1),
                                nullptr, false);
  if (!last.is_object() || !last.contains("lsn")) {
    return Error(Code::kInternal, "the server's answer is not a change");
  }
  return last.value("lsn", std::uint64_t{0});
}

}  // namespace

Status RepoFollow(ApiClient& client, const FollowArguments& arguments) {
  const std::string read = fmt::format(
      "/api/v1/repositories/{}/changes?consumer={}&wait={}", PercentEncode(arguments.name),
      PercentEncode(arguments.consumer), arguments.once ? 0 : kWaitSeconds);
  const std::string acknowledge =
      fmt::format("{}/{}/ack", ConsumersOf(arguments.name), PercentEncode(arguments.consumer));
  for (;;) {
    const std::string lines = QUORATE_TRY(client.Request("GET", read, ""));
    if (lines.empty() && arguments.once) {
      return Ok();
    }
    if (lines.empty()) {
      continue;
    }
    const bool written = std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size();
    if (!written || std::fflush(stdout) != 0) {
      return Error(Code::kUnavailable, "standard output takes no more");
    }
    const Json ack = {{"lsn", QUORATE_TRY(LastLsn(lines))}};
    QUORATE_TRY(client.Request("POST", acknowledge, ack.dump()));
  }
}

Status ConsumerList(ApiClient& client, const std::string& name, bool json) {
  const std::string body = QUORATE_TRY(client.Request("GET", ConsumersOf(name), ""));
  const Json document = Json::parse(body, nullptr, false);
  if (!document.is_object()) {
    return Error(Code::kInternal, "the server's answer is not JSON; is it a quorate server?");
  }
  if (json) {
    fmt::print("{}\n", document.dump(2));
    return Ok();
  }
  fmt::print("{:<24} {:>12} {:>10}  {}\n", "CONSUMER", "ACKNOWLEDGED", "LAG", "STATE");
  for (const Json& consumer : document.value("consumers", Json::array())) {
    const std::string state =
        consumer.value("cut_off", false)
            ? fmt::format("cut off, lost {} to {}", consumer.value("lost_first", std::uint64_t{0}),
                          consumer.value("lost_last", std::uint64_t{0}))
            : "follows";
    fmt::print("{:<24} {:>12} {:>10}  {}\n", consumer.value("name", ""),
               consumer.value("acknowledged", std::uint64_t{0}),
               consumer.value("lag", std::uint64_t{0}), state);
  }
  return Ok();
}

Status ConsumerCreate(ApiClient& client, const std::string& name, const std::string& consumer) {
  const Json request = {{"name", consumer}};
  QUORATE_TRY(client.Request("POST", ConsumersOf(name), request.dump()));
  fmt::print("created {}\n", consumer);
  return Ok();
}

Status ConsumerRemove(ApiClient& client, const std::string& name, const std::string& consumer) {
  QUORATE_TRY(client.Request("DELETE", ConsumersOf(name) + "/" + PercentEncode(consumer), ""));
  fmt::print("removed {}\n", consumer);
  return Ok();
}

}  // namespace quorate::server
