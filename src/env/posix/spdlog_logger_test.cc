#include "env/posix/spdlog_logger.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace quorate::env {
namespace {

class FixedClock final : public Clock {
 public:
  std::chrono::nanoseconds Monotonic() const override { return {}; }
  std::chrono::microseconds WallUnix() const override {
    return std::chrono::microseconds(1767323045'000042);
  }
};

std::string Logged(SpdlogLoggerOptions options, Severity severity, std::string_view event,
                   std::initializer_list<LogField> fields) {
  const FixedClock clock;
  testing::internal::CaptureStderr();
  SpdlogLogger(clock, options).Log(severity, event, fields);
  return testing::internal::GetCapturedStderr();
}

TEST(SpdlogLoggerTest, TextLineHasTimeSeverityEventAndFields) {
  EXPECT_EQ(Logged({}, Severity::kWarning, "push refused", {{"partition", 7}, {"actor", "eve"}}),
            "2026-01-02T03:04:05.000042Z warn  \"push refused\" partition=7 actor=eve\n");
}

TEST(SpdlogLoggerTest, TextLineStaysOneLineWhateverAFieldHolds) {
  EXPECT_EQ(Logged({}, Severity::kInfo, "x", {{"a", "one\ntwo\x01 \"q\" \\"}, {"b", ""}}),
            "2026-01-02T03:04:05.000042Z info  x a=\"one\\x0atwo\\x01 \\\"q\\\" \\\\\" b=\"\"\n");
}

TEST(SpdlogLoggerTest, BracesAreNotAFormat) {
  EXPECT_EQ(Logged({}, Severity::kInfo, "{}", {{"a", "{0}"}}),
            "2026-01-02T03:04:05.000042Z info  {} a={0}\n");
}

TEST(SpdlogLoggerTest, JsonLineCanBeReadBackEvenWithBytesThatAreNotUtf8) {
  const std::string line =
      Logged({.json = true}, Severity::kError, "fenced", {{"reason", "bad \xff \"x\"\n"}});

  const nlohmann::json read = nlohmann::json::parse(line);
  EXPECT_EQ(read["time"], "2026-01-02T03:04:05.000042Z");
  EXPECT_EQ(read["severity"], "error");
  EXPECT_EQ(read["event"], "fenced");
  EXPECT_EQ(read["reason"], "bad \xef\xbf\xbd \"x\"\n");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(SpdlogLoggerTest, LevelHidesWhatIsBelow) {
  EXPECT_EQ(Logged({.level = Severity::kWarning}, Severity::kInfo, "hidden", {}), "");
  EXPECT_NE(Logged({.level = Severity::kWarning}, Severity::kWarning, "shown", {}), "");
  EXPECT_NE(Logged({.level = Severity::kDebug}, Severity::kDebug, "shown", {}), "");
}

}  // namespace
}  // namespace quorate::env
