// What operators read: one event a line, with fields. Safe from any thread; never blocks on a slow
// reader for long; never throws.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace quorate::env {

enum class Severity : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogField {
  LogField(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, std::uint64_t number)
      : key(field_key), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
};

class Logger {
 public:
  virtual ~Logger() = default;

  // `event` is a short fixed phrase ("push committed"); what varies goes into the fields.
  virtual void Log(Severity severity, std::string_view event,
                   std::initializer_list<LogField> fields) = 0;

  void Info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Log(Severity::kInfo, event, fields);
  }
  void Warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Log(Severity::kWarning, event, fields);
  }
  void Fail(std::string_view event, std::initializer_list<LogField> fields = {}) {
    Log(Severity::kError, event, fields);
  }
};

}  // namespace quorate::env
