#include "server/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <variant>

namespace quorate::server {
namespace {

using Text = std::string Config::*;
using Number = std::int64_t Config::*;
using Switch = bool Config::*;

struct Key {
  std::string_view name;
  std::variant<Text, Number, Switch> field;
  std::int64_t min = 0;  // Of a number.
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

constexpr std::int64_t kGibibyte = 1LL << 30;
constexpr std::int64_t kDayMs = 86'400'000;

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {"server.data", &Config::data},
      {"server.http", &Config::http},
      {"server.peer", &Config::peer},
      {"server.join", &Config::join},
      {"server.insecure", &Config::insecure},
      {"server.threads", &Config::threads, 0, 1024},
      {"log.mode", &Config::log_mode},
      {"repositories.create_on_push", &Config::create_on_push},
      // An inline pack travels in a log entry, which must stay small.
      {"limits.inline_pack_bytes", &Config::inline_pack_bytes, 0, 8 << 20},
      {"limits.unpack_objects", &Config::unpack_objects, 0, 10'000},
      {"limits.pack_bytes", &Config::pack_bytes, 1024, 1024 * kGibibyte},
      {"limits.object_bytes", &Config::object_bytes, 1024, 1024 * kGibibyte},
      {"limits.free_disk_bytes", &Config::free_disk_bytes, 0, 1024 * kGibibyte},
      {"limits.connections", &Config::connections, 1, 100'000},
      {"limits.children", &Config::children, 1, 4096},
      {"limits.in_process_fetch_objects", &Config::in_process_fetch_objects, 0, 10'000},
      {"limits.open_partitions", &Config::open_partitions, 1, 1'000'000},
      {"limits.consumer_entries", &Config::consumer_entries, 1, 100'000'000},
      {"limits.consumer_bytes", &Config::consumer_bytes, 1, 1LL << 40},
      {"timeouts.header_ms", &Config::header_ms, 1, kDayMs},
      {"timeouts.idle_ms", &Config::idle_ms, 1, kDayMs},
      {"timeouts.body_ms", &Config::body_ms, 1, kDayMs},
      {"timeouts.slow_client_ms", &Config::slow_client_ms, 1, kDayMs},
      {"timeouts.drain_ms", &Config::drain_ms, 0, kDayMs},
      {"cache.advertisement_bytes", &Config::advertisement_bytes, 0, 64 * kGibibyte},
      {"cache.views", &Config::views, 1, 1'000'000},
      {"observability.log_level", &Config::log_level},
      {"observability.log_format", &Config::log_format},
      {"unsafe.fault_points", &Config::fault_points},
  };
  return keys;
}

// Levenshtein's distance, one row at a time.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string_view NearestKey(std::string_view name) {
  return std::ranges::min_element(Keys(), {},
                                  [&](const Key& key) { return EditDistance(name, key.name); })
      ->name;
}

class Loader {
 public:
  Loader(std::string_view origin, Config& config) : origin_(origin), config_(config) {}

  Status LoadTable(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string path = prefix + std::string(name.str());
      if (const toml::table* inner = node.as_table()) {
        QUORATE_TRY(LoadTable(*inner, path + "."));
      } else {
        QUORATE_TRY(LoadKey(path, node));
      }
    }
    return Ok();
  }

 private:
  Error Complain(const toml::node& node, std::string_view what) const {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}:{}: {}", origin_, node.source().begin.line, what));
  }

  Status LoadKey(const std::string& path, const toml::node& node) {
    const auto key = std::ranges::find(Keys(), path, &Key::name);
    if (key == Keys().end()) {
      return Complain(node, fmt::format("unknown key '{}'; the nearest known one is '{}'", path,
                                        NearestKey(path)));
    }
    if (path == "repositories.create_on_push") {
      config_.create_on_push_given = true;
    }
    if (const Text* text = std::get_if<Text>(&key->field)) {
      return Assign(path, node, "a string", node.value_exact<std::string>(), config_.*(*text));
    }
    if (const Switch* flag = std::get_if<Switch>(&key->field)) {
      return Assign(path, node, "true or false", node.value_exact<bool>(), config_.*(*flag));
    }
    std::int64_t& number = config_.*std::get<Number>(key->field);
    QUORATE_TRY(Assign(path, node, "a whole number", node.value_exact<std::int64_t>(), number));
    if (number < key->min || number > key->max) {
      return Complain(node, fmt::format("{} is {}; it must be from {} to {}", path, number,
                                        key->min, key->max));
    }
    return Ok();
  }

  template <class T>
  Status Assign(const std::string& path, const toml::node& node, std::string_view wanted,
                std::optional<T> value, T& field) const {
    if (!value) {
      return Complain(node, fmt::format("{} must be {}", path, wanted));
    }
    field = std::move(*value);
    return Ok();
  }

  std::string_view origin_;
  Config& config_;
};

Status CheckOneOf(std::string_view key, std::string_view value,
                  std::initializer_list<std::string_view> known) {
  if (std::ranges::find(known, value) != known.end()) {
    return Ok();
  }
  return Error(Code::kInvalidArgument, fmt::format("{} is '{}'; it must be one of: {}", key, value,
                                                   fmt::join(known, ", ")));
}

}  // namespace

bool HostPort::IsLoopback() const {
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

Result<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const Error bad(Code::kInvalidArgument,
                  fmt::format("'{}' is not HOST:PORT, such as 127.0.0.1:7080 or [::1]:7080", text));
  if (colon == std::string_view::npos || colon == 0) {
    return bad;
  }
  HostPort result;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return bad;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad;  // An IPv6 address without brackets: which colon is the port's?
  }
  result.host = host;
  return result;
}

Status ReadConfig(std::string_view toml, std::string_view origin, Config& config) {
  toml::table table;
  try {
    table = toml::parse(toml, origin);
  } catch (const toml::parse_error& error) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()));
  }
  return Loader(origin, config).LoadTable(table, "");
}

Status CheckConfig(const Config& config) {
  if (config.data.empty()) {
    return Error(Code::kInvalidArgument,
                 "no data directory: give --data DIR, or server.data in the configuration");
  }
  QUORATE_TRY(CheckOneOf("log.mode", config.log_mode, {"raft", "local"}));
  QUORATE_TRY(CheckOneOf("observability.log_level", config.log_level,
                         {"debug", "info", "warning", "error"}));
  QUORATE_TRY(CheckOneOf("observability.log_format", config.log_format, {"text", "json"}));
  const HostPort http = QUORATE_TRY(ParseHostPort(config.http));
  QUORATE_TRY(ParseHostPort(config.peer));
  if (!http.IsLoopback() && !config.insecure) {
    return Error(Code::kInvalidArgument,
                 fmt::format("refusing to listen on {} without authentication: anybody who reaches "
                             "it could read and write every repository; listen on loopback behind "
                             "a proxy that authenticates, or give --insecure",
                             config.http));
  }
  if (!config.join.empty()) {
    return Error(Code::kInvalidArgument,
                 "--join: this version runs one node; joining a cluster is not supported yet");
  }
  return Ok();
}

std::vector<std::string> ConfigKeys() {
  std::vector<std::string> names;
  for (const Key& key : Keys()) {
    names.emplace_back(key.name);
  }
  return names;
}

}  // namespace quorate::server
