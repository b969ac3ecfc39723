// Positions of consumers: how they are made, set, found and listed, and that the log keeps exactly
// what they say; in every mode of the log.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "consumers_fixture.h"

namespace quorate::txn {
namespace {

class ConsumerPositionsTest : public ConsumersTest {};
class ConsumerPositionsAloneTest : public ConsumersAloneTest {};

// "name at LSN", each.
Texts Listed(const Snapshot& snapshot) {
  Texts all;
  const std::vector<Consumer> consumers = ListConsumers(snapshot, kRepository).value();
  for (const Consumer& consumer : consumers) {
    all.push_back(consumer.name + " at " + std::to_string(consumer.acknowledged.value));
  }
  return all;
}

std::string At(const std::string& name, Lsn lsn) {
  return name + " at " + std::to_string(lsn.value);
}

TEST_P(ConsumerPositionsTest, EachIsSetByItselfAsOftenAsOneLikesAndAllAreListed) {
  Start();
  for (const char* name : {"b", "a", "c"}) {
    ASSERT_EQ(Make(name), "");
  }
  const Lsn made = FindConsumer(Now(), kRepository, "c")->acknowledged;
  Change("one");
  Change("two");
  const std::vector<CommittedChange> changes = Read("a");
  ASSERT_EQ(Acknowledge("a", changes[0].lsn), "");
  ASSERT_EQ(Acknowledge("b", changes[0].lsn), "");
  ASSERT_EQ(Acknowledge("b", changes[1].lsn), "");
  ASSERT_EQ(Acknowledge("b", changes[1].lsn), "");

  const Texts expected = {At("a", changes[0].lsn), At("b", changes[1].lsn), At("c", made)};
  EXPECT_EQ(Listed(Now()), expected);
  stage_->Stop();
  Open();

  EXPECT_EQ(Listed(Now()), expected);
  EXPECT_EQ(Reads("a"), (Texts{"two"}));
  EXPECT_EQ(Reads("b"), (Texts{}));
  EXPECT_EQ(Reads("c"), (Texts{"one", "two"}));
}

TEST_P(ConsumerPositionsTest, ANameIsTakenOnceAndOneThatIsNotTakenHasNoPosition) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  ASSERT_EQ(Acknowledge("c", Now().lsn()), "");
  const Texts before = Listed(Now());

  EXPECT_EQ(Make("c"), "already_exists");
  EXPECT_EQ(Acknowledge("unknown", Now().lsn()), "not_found");
  EXPECT_EQ(FindConsumer(Now(), kRepository, "unknown").error().code(), Code::kNotFound);
  EXPECT_EQ(Listed(Now()), before);
}

TEST_P(ConsumerPositionsAloneTest, NothingIsToldOfALogWithoutChanges) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Sync();
  stage_->Stop();
  Open();
  int told = 0;
  manager().WatchApplied(Now().lsn(), [&told] { ++told; });
  stage_->Run();

  EXPECT_EQ(Reads("c"), (Texts{}));
  EXPECT_EQ(told, 0);
  Change("one");
  EXPECT_EQ(Reads("c"), (Texts{"one"}));
  EXPECT_EQ(told, 1);
}

TEST_P(ConsumerPositionsAloneTest, ManyChangesAtOnceWakeAWatcherOnce) {
  Start();
  ASSERT_EQ(Make("c"), "");
  int told = 0;
  manager().WatchApplied(Now().lsn(), [&told] { ++told; });
  for (const char* name : {"one", "two", "three"}) {
    Transaction change = manager().Begin({}).value();
    ASSERT_TRUE(change.StageRef({.repository = kRepository,
                                 .name = std::string("refs/heads/") + name,
                                 .expected = {},
                                 .value = ValueOf('A')}));
    manager().Commit(std::move(change),
                     [](const Result<CommitOutcome>& outcome) { EXPECT_TRUE(outcome); });
  }
  stage_->Run();

  EXPECT_EQ(told, 1);
  EXPECT_EQ(Reads("c"), (Texts{"one", "two", "three"}));
}

// What a producer adds and what a consumer acknowledges are under way together.
TEST_P(ConsumerPositionsAloneTest, OfAHundredChangesTheLogKeepsExactlyTheLastFive) {
  constexpr int kChanges = 100;
  constexpr std::size_t kBehind = 5;
  Start();
  ASSERT_EQ(Make("c"), "");
  std::vector<Lsn> lsns;
  for (int i = 0; i < kChanges; ++i) {
    Transaction change = manager().Begin({}).value();
    ASSERT_TRUE(change.StageRef({.repository = kRepository,
                                 .name = "refs/heads/" + std::to_string(i),
                                 .expected = {},
                                 .value = ValueOf('A')}));
    manager().Commit(std::move(change), [&lsns](const Result<CommitOutcome>& outcome) {
      lsns.push_back(outcome.value().lsn);
    });
    if (lsns.size() > kBehind) {
      ASSERT_EQ(Acknowledge("c", lsns[lsns.size() - 1 - kBehind]), "");
    }
    stage_->Run();
    if (i % 10 == 0) {
      Sync();
    }
  }
  ASSERT_EQ(lsns.size(), std::size_t{kChanges});
  ASSERT_EQ(Acknowledge("c", lsns[kChanges - 1 - kBehind]), "");
  Sync();

  EXPECT_EQ(Truncated(), lsns[kChanges - 1 - kBehind]);
  EXPECT_EQ(Reads("c"), (Texts{"95", "96", "97", "98", "99"}));
  ASSERT_EQ(Acknowledge("c", lsns.back()), "");
  Sync();
  EXPECT_EQ(Truncated(), Now().lsn());
}

TEST_P(ConsumerPositionsAloneTest, AnAcknowledgementAfterClosingTruncatesNothing) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  Sync();
  const Lsn truncated = Truncated();
  Transaction acknowledge = manager().Begin({}).value();
  ASSERT_TRUE(acknowledge.StageConsumerAck(kRepository, "c", Read("c").back().lsn));
  stage_->BeginStop([] {});

  std::string answer;
  manager().Commit(std::move(acknowledge), [&answer](const Result<CommitOutcome>& outcome) {
    answer = outcome ? "committed" : CodeName(outcome.error().code());
  });
  stage_->Run();

  EXPECT_EQ(answer, "unavailable");
  EXPECT_FALSE(manager().SyncObjects());
  EXPECT_EQ(Truncated(), truncated);
  Crash(node().disk().unsynced());
  Open();
  Sync();
  EXPECT_EQ(Truncated(), truncated);
  EXPECT_EQ(Reads("c"), (Texts{"one"}));
}

INSTANTIATE_TEST_SUITE_P(Modes, ConsumerPositionsTest, ::testing::Values("local", "raft1", "raft3"),
                         [](const auto& mode) { return mode.param; });
INSTANTIATE_TEST_SUITE_P(Modes, ConsumerPositionsAloneTest, ::testing::Values("local", "raft1"),
                         [](const auto& mode) { return mode.param; });

}  // namespace
}  // namespace quorate::txn
