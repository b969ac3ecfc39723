#include "txn/internal/published.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace quorate::txn::internal {
namespace {

TEST(PublishedTest, PinsHoldBackWhatMayBeEvicted) {
  const auto published = std::make_shared<Published>(Lsn{5});
  std::optional<Published::Pin> old = Published::MakePin(published);
  published->SetApplied(Lsn{7});
  std::optional<Published::Pin> young = Published::MakePin(published);
  published->SetApplied(Lsn{9});

  EXPECT_EQ(published->Evictable(), Lsn{5});
  old.reset();
  EXPECT_EQ(published->Evictable(), Lsn{7});
  {
    const Published::Pin moved = std::move(*young);
    young.reset();  // Holds nothing any more.
    EXPECT_EQ(published->Evictable(), Lsn{7});
  }
  EXPECT_EQ(published->Evictable(), Lsn{9});
}

TEST(PublishedTest, AFenceOutlivesEverythingAndTheFirstReasonStays) {
  Published published(Lsn{5});
  EXPECT_EQ(published.Serving().error().code(), Code::kUnavailable);
  published.SetOpen();
  EXPECT_TRUE(published.Serving());

  published.SetFenced(Error(Code::kCorruption, "first"));
  published.SetFenced(Error(Code::kCorruption, "second"));
  published.SetStopped();

  EXPECT_EQ(published.Serving().error().code(), Code::kCorruption);
  EXPECT_EQ(published.Serving().error().message(), "this replica is fenced: first");
}

}  // namespace
}  // namespace quorate::txn::internal
