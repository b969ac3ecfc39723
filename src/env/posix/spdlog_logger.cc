#include "env/posix/spdlog_logger.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace quorate::env {
namespace {

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "debug";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warn";
    case Severity::kError:
      return "error";
  }
  return "unknown";
}

std::string FormatTime(std::chrono::microseconds wall) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (wall - seconds).count());
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '"' && c != '\\' && c != '=';
}

// As it is, or in quotes where it could be misread.
void AppendValue(std::string& out, std::string_view value) {
  if (!value.empty() && std::all_of(value.begin(), value.end(), IsPlain)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string TextLine(std::string_view time, Severity severity, std::string_view event,
                     std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{} {:<5} ", time, SeverityName(severity));
  AppendValue(line, event);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendValue(line, field.value);
  }
  return line;
}

std::string JsonLine(std::string_view time, Severity severity, std::string_view event,
                     std::initializer_list<LogField> fields) {
  nlohmann::ordered_json line;
  line["time"] = std::string(time);
  line["severity"] = std::string(SeverityName(severity));
  line["event"] = std::string(event);
  for (const LogField& field : fields) {
    line[std::string(field.key)] = field.value;
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

struct SpdlogLogger::Sink {
  spdlog::logger logger{"quorate", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

SpdlogLogger::SpdlogLogger(const Clock& clock, SpdlogLoggerOptions options)
    : clock_(clock), options_(options), sink_(std::make_unique<Sink>()) {
  sink_->logger.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  sink_->logger.set_level(spdlog::level::trace);
}

SpdlogLogger::~SpdlogLogger() = default;

void SpdlogLogger::Log(Severity severity, std::string_view event,
                       std::initializer_list<LogField> fields) {
  if (severity < options_.level) {
    return;
  }
  const std::string time = FormatTime(clock_.WallUnix());
  const std::string line = options_.json ? JsonLine(time, severity, event, fields)
                                         : TextLine(time, severity, event, fields);
  sink_->logger.info("{}", line);
}

}  // namespace quorate::env
