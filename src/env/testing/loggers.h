// Loggers for tests: one that is silent, one that remembers.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "env/logger.h"

namespace quorate::env {

class NullLogger final : public Logger {
 public:
  void Log(Severity, std::string_view, std::initializer_list<LogField>) override {}
};

// Keeps every event as "info push committed partition=7 lsn=9". Safe from any thread.
class RecordingLogger final : public Logger {
 public:
  void Log(Severity severity, std::string_view event,
           std::initializer_list<LogField> fields) override;

  std::vector<std::string> lines() const;
  // How many lines contain `text`.
  int Count(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace quorate::env
