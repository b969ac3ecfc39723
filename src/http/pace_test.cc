#include "http/internal/pace.h"

#include <gtest/gtest.h>

namespace quorate::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kRate = 1000;  // A byte a millisecond.

TEST(PaceTest, ThePieceAndTheGraceAreAllowed) {
  const Pace pace(kRate, seconds(60));
  EXPECT_EQ(pace.Allowance(500), milliseconds(60'500));
}

TEST(PaceTest, TimeBeyondTheRateIsTakenFromTheGrace) {
  Pace pace(kRate, seconds(60));
  pace.Count(1000, seconds(41));
  EXPECT_EQ(pace.Allowance(0), seconds(20));
  pace.Count(1000, seconds(16));
  EXPECT_EQ(pace.Allowance(0), seconds(5));
  pace.Count(0, seconds(7));
  EXPECT_EQ(pace.Allowance(0), milliseconds(1));
}

TEST(PaceTest, ReadingFastMakesUpForIt) {
  Pace pace(kRate, seconds(60));
  pace.Count(0, seconds(50));
  pace.Count(40'000, seconds(0));
  EXPECT_EQ(pace.Allowance(0), seconds(50));
}

TEST(PaceTest, NothingIsSavedUpForAStop) {
  Pace pace(kRate, seconds(60));
  pace.Count(1'000'000'000, seconds(1));
  EXPECT_EQ(pace.Allowance(0), seconds(60));
}

TEST(PaceTest, AtTheLeastRateAnAnswerMayTakeForEver) {
  Pace pace(kRate, seconds(60));
  for (int piece = 0; piece < 100'000; ++piece) {
    pace.Count(64'000, seconds(64));
  }
  EXPECT_EQ(pace.Allowance(0), seconds(60));
}

}  // namespace
}  // namespace quorate::http
