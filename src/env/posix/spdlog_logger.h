// Log lines on standard error.
//
//   text   2026-01-02T03:04:05.678901Z info  "push committed" partition=7 actor="a b"
//   JSON   {"time":"2026-...Z","severity":"info","event":"push committed","partition":"7"}
//
// One event is one line whatever its fields hold: control bytes and quotes are escaped.
#pragma once

#include <memory>

#include "env/clock.h"
#include "env/logger.h"

namespace quorate::env {

struct SpdlogLoggerOptions {
  Severity level = Severity::kInfo;  // What is below is not written.
  bool json = false;
};

// Safe from any thread; a line is written whole, and has left the process when Log() returns.
class SpdlogLogger final : public Logger {
 public:
  // `clock` outlives it.
  SpdlogLogger(const Clock& clock, SpdlogLoggerOptions options);
  ~SpdlogLogger() override;

  void Log(Severity severity, std::string_view event,
           std::initializer_list<LogField> fields) override;

 private:
  struct Sink;

  const Clock& clock_;
  const SpdlogLoggerOptions options_;
  const std::unique_ptr<Sink> sink_;
};

}  // namespace quorate::env
