#include "txn/internal/recent_aborts.h"

#include <gtest/gtest.h>

namespace quorate::txn::internal {
namespace {

AbortedTransaction Because(std::string reason) {
  return {.code = Code::kConflict, .reason = std::move(reason), .time_unix_micros = 1};
}

TEST(RecentAbortsTest, TheOldestIsForgottenFirst) {
  RecentAborts aborts(2);
  aborts.Add("a", Because("1"));
  aborts.Add("b", Because("2"));
  aborts.Add("c", Because("3"));

  EXPECT_EQ(aborts.Find("a"), nullptr);
  EXPECT_EQ(aborts.Find("b")->reason, "2");
  EXPECT_EQ(aborts.Find("c")->reason, "3");
  EXPECT_EQ(aborts.size(), 2u);
}

TEST(RecentAbortsTest, AnIdThatIsAbortedAgainIsRememberedByItsLatestReason) {
  RecentAborts aborts(2);
  aborts.Add("a", Because("first"));
  aborts.Add("a", Because("second"));
  aborts.Add("b", Because("other"));  // Pushes out the first one of "a" only.

  EXPECT_EQ(aborts.Find("a")->reason, "second");
  aborts.Add("c", Because("more"));
  EXPECT_EQ(aborts.Find("a"), nullptr);
}

TEST(RecentAbortsTest, LongReasonsAreCut) {
  RecentAborts aborts(1);
  aborts.Add("a", Because(std::string(10'000, 'x')));

  EXPECT_EQ(aborts.Find("a")->reason.size(), RecentAborts::kReasonBytesMax);
}

}  // namespace
}  // namespace quorate::txn::internal
