#include "git/testing/fake_packs.h"

#include <gtest/gtest.h>

namespace quorate::git {
namespace {

using Events = std::vector<std::string>;

TEST(FakePacksTest, CrashLosesWhatNoSyncCovered) {
  FakePacks packs;
  auto first = packs.NewInline("first");
  auto second = packs.NewInline("second");
  const PackRecord first_record = first->record();
  const PackRecord record = second->record();
  EXPECT_EQ(packs.quarantined(), 2);

  ASSERT_TRUE(packs.Install(first_record, std::move(first)));
  ASSERT_TRUE(packs.Sync());
  ASSERT_TRUE(packs.Install(record, std::move(second)));
  packs.Crash();

  EXPECT_TRUE(packs.IsInstalled("first"));
  EXPECT_FALSE(packs.IsInstalled("second"));
  ASSERT_TRUE(packs.Install(record, nullptr));
  EXPECT_TRUE(packs.IsInstalled("second"));
  EXPECT_EQ(packs.TakeEvents(), (Events{"install first", "install second", "redo second"}));
  EXPECT_EQ(packs.quarantined(), 0);
}

TEST(FakePacksTest, SideStoredPackIsMissingUnlessPersisted) {
  FakePacks packs;
  auto pack = packs.NewSideStored("large");
  const PackRecord record = pack->record();
  EXPECT_EQ(packs.Install(record, nullptr).error().code(), Code::kCorruption);

  ASSERT_TRUE(pack->Persist());
  pack.reset();
  packs.Crash();

  EXPECT_TRUE(packs.IsPersisted("large"));
  EXPECT_TRUE(packs.Install(record, nullptr));
  EXPECT_EQ(packs.TakeEvents(), (Events{"persist large", "drop large", "redo large"}));
}

TEST(FakePacksTest, DiscardTakesWhatNobodyElseNeeds) {
  FakePacks packs;
  auto first = packs.NewSideStored("large");
  ASSERT_TRUE(first->Persist());
  auto second = packs.NewSideStored("large");
  ASSERT_TRUE(second->Persist());
  ASSERT_TRUE(first->Discard());
  EXPECT_TRUE(packs.IsPersisted("large"));
  ASSERT_TRUE(second->Discard());
  EXPECT_FALSE(packs.IsPersisted("large"));

  ASSERT_TRUE(second->Persist());
  second.reset();  // An entry may name it.
  ASSERT_TRUE(first->Persist());
  ASSERT_TRUE(first->Discard());
  EXPECT_TRUE(packs.IsPersisted("large"));
  ASSERT_TRUE(packs.DropStagedExcept({Sha256("large")}));
  EXPECT_TRUE(packs.IsPersisted("large"));
  ASSERT_TRUE(packs.DropStagedExcept({}));
  EXPECT_FALSE(packs.IsPersisted("large"));
}

TEST(FakePacksTest, DiscardTakesNothingFromWhatIsInstalled) {
  FakePacks packs;
  auto first = packs.NewSideStored("large");
  const PackRecord record = first->record();
  ASSERT_TRUE(first->Persist());
  ASSERT_TRUE(packs.Install(record, std::move(first)));
  auto again = packs.NewSideStored("large");
  ASSERT_TRUE(again->Persist());
  ASSERT_TRUE(again->Discard());

  packs.Crash();

  EXPECT_TRUE(packs.Install(record, nullptr));
}

TEST(FakePacksTest, FailuresHappenOnce) {
  FakePacks packs;
  auto pack = packs.NewInline("x");
  packs.FailNextPersist(Error(Code::kResourceExhausted, "full"));
  EXPECT_FALSE(pack->Persist());
  EXPECT_TRUE(pack->Persist());
  packs.FailNextInstall(Error(Code::kCorruption, "bad"));
  const PackRecord record = pack->record();
  EXPECT_FALSE(packs.Install(record, nullptr));
  EXPECT_TRUE(packs.Install(record, nullptr));
}

// Else a refused transaction would take what an entry of another replica names.
TEST(FakePacksTest, WhatATransferBringsStaysWhenALocalCopyIsDiscarded) {
  FakePacks packs;
  auto local = packs.NewSideStored("large");
  ASSERT_TRUE(local->Persist());

  ASSERT_TRUE(packs.Receive(local->record()));
  ASSERT_TRUE(local->Discard());

  EXPECT_TRUE(packs.IsPersisted("large"));
}

}  // namespace
}  // namespace quorate::git
