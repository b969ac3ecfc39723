#include "env/posix/clock.h"

#include <gtest/gtest.h>

namespace quorate::env {
namespace {

TEST(PosixClockTest, MonotonicNeverGoesBack) {
  const PosixClock clock;
  std::chrono::nanoseconds last = clock.Monotonic();

  for (int i = 0; i < 10000; ++i) {
    const std::chrono::nanoseconds now = clock.Monotonic();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(PosixClockTest, WallCountsFromTheUnixEpoch) {
  const std::chrono::microseconds year_2020 = std::chrono::seconds(1577836800);

  EXPECT_GT(PosixClock().WallUnix(), year_2020);
}

}  // namespace
}  // namespace quorate::env
