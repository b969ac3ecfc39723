// Consumers and the life of the log: what is kept for them, what is truncated, and that no crash
// between the two loses anything; in every mode of the log.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "consumers_fixture.h"

namespace quorate::txn {
namespace {

TEST_P(ConsumersTest, ChangesAreReadInOrderUntilTheyAreAcknowledged) {
  Start();
  Change("before");
  ASSERT_EQ(Make("c"), "");
  Change("one");
  Change("two");
  Change("three");

  const std::vector<CommittedChange> two = Read("c", 2);
  EXPECT_EQ(Names(two), (Texts{"one", "two"}));
  EXPECT_EQ(Reads("c"), (Texts{"one", "two", "three"})) << "nothing was acknowledged";
  EXPECT_EQ(Acknowledge("c", two.back().lsn), "");
  EXPECT_EQ(Reads("c"), (Texts{"three"}));
  EXPECT_EQ(Acknowledge("c", two.front().lsn), "") << "an old acknowledgement changes nothing";
  EXPECT_EQ(Reads("c"), (Texts{"three"}));
}

// It makes the repository newer, so a consumer that was not told could never catch up.
TEST_P(ConsumersTest, AChangeOfTheConfigurationIsReadAndAcknowledged) {
  Start();
  ASSERT_EQ(Make("c"), "");
  ASSERT_EQ(Transact([](Transaction& t) {
              return t.StageConfig(kRepository, "core.x", std::nullopt, {"1", "2"});
            }),
            "");

  const std::vector<CommittedChange> changes = Read("c");
  ASSERT_EQ(changes.size(), 1u);
  ASSERT_EQ(changes[0].configs.size(), 1u);
  EXPECT_EQ(changes[0].configs[0].name, "core.x");
  EXPECT_EQ(changes[0].configs[0].before, (Texts{}));
  EXPECT_EQ(changes[0].configs[0].after, (Texts{"1", "2"}));
  EXPECT_EQ(Acknowledge("c", changes[0].lsn), "");
  const Snapshot now = Now();
  EXPECT_EQ(LagOf(FindConsumer(now, kRepository, "c").value(),
                  *now.FindRepository(kRepository).value(), now.lsn()),
            0u);
}

TEST_P(ConsumersAloneTest, TheLogKeepsWhatTheSlowestConsumerHasNotAcknowledged) {
  Start();
  ASSERT_EQ(Make("fast"), "");
  ASSERT_EQ(Make("slow"), "");
  Change("one");
  Change("two");
  const std::vector<CommittedChange> all = Read("fast");
  ASSERT_EQ(Acknowledge("fast", all[1].lsn), "");
  ASSERT_EQ(Acknowledge("slow", all[0].lsn), "");

  Sync();

  EXPECT_EQ(Truncated(), all[0].lsn);
  EXPECT_EQ(Reads("slow"), (Texts{"two"}));
  ASSERT_EQ(Acknowledge("slow", all[1].lsn), "");
  Sync();
  EXPECT_EQ(Truncated(), Now().lsn()) << "who is up to date keeps nothing";
}

// The log begins behind its position then: nothing of what went concerned it.
TEST_P(ConsumersAloneTest, WhomNothingConcernsKeepsNothingAndReadsWhatComesLater) {
  Start({.consumer_entries_max = 3});
  ASSERT_EQ(Make("c"), "");
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    ASSERT_EQ(Transact([key](Transaction& t) { return t.StageKey(key, std::nullopt, "x"); }), "");
  }
  Sync();
  ASSERT_EQ(Truncated(), Now().lsn());
  EXPECT_EQ(Reads("c"), Texts{});

  Change("one");
  Sync();

  EXPECT_EQ(Reads("c"), (Texts{"one"}));
  EXPECT_TRUE(FindFollowingConsumer(Now(), kRepository, "c")) << "one entry is kept for it";
  Change("two");
  Change("three");
  Change("four");
  Sync();
  EXPECT_FALSE(FindFollowingConsumer(Now(), kRepository, "c"));
}

// With a snapshot from before it, the log could seem to have less to say than it has.
TEST_P(ConsumersAloneTest, WhoHasMovedOnSinceIsToldToLookAgain) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  Change("two");
  const Snapshot old = Now();
  const Consumer before = FindConsumer(old, kRepository, "c").value();
  ASSERT_EQ(Acknowledge("c", Now().lsn()), "");
  Sync();
  ASSERT_GT(Truncated(), before.acknowledged);

  const auto read = manager().ReadChanges(old, before, 100);

  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kUnavailable);
}

TEST_P(ConsumersAloneTest, AConsumerThatIsRemovedKeepsNothing) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  ASSERT_EQ(Transact([](Transaction& t) { return t.StageConsumerRemove(kRepository, "c"); }), "");

  Sync();

  EXPECT_EQ(Truncated(), Now().lsn());
  EXPECT_EQ(FindConsumer(Now(), kRepository, "c").error().code(), Code::kNotFound);
  EXPECT_EQ(Acknowledge("c", Now().lsn()), "not_found");
}

TEST_P(ConsumersAloneTest, ThePositionSurvivesCrashesAndAnOpenTransactionHoldsNothingBack) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  Change("two");
  ASSERT_EQ(Acknowledge("c", Read("c", 1)[0].lsn), "");
  Crash(0);
  Open();
  EXPECT_EQ(Reads("c"), (Texts{"two"}));

  const Transaction open = manager().Begin({}).value();
  ASSERT_EQ(Acknowledge("c", Read("c").back().lsn), "");
  Sync();

  EXPECT_EQ(Truncated(), Now().lsn());
}

// Records are written in this order: what is applied, with the acknowledgement; how far objects are
// durable; what is truncated. Whatever prefix of it a crash leaves, nothing is missing.
TEST_P(ConsumersAloneTest, AtEachCrashBetweenAcknowledgementAndTruncationNothingIsMissing) {
  for (std::size_t kept = 0;; ++kept) {
    SCOPED_TRACE("the crash keeps " + std::to_string(kept) + " batches");
    Start();
    ASSERT_EQ(Make("c"), "");
    Change("one");
    Change("two");
    Sync();
    Crash(node().disk().unsynced());
    Open();
    ASSERT_EQ(Reads("c"), (Texts{"one", "two"}));
    ASSERT_EQ(Acknowledge("c", Read("c", 1)[0].lsn), "");
    Change("three");
    Sync();
    const std::size_t unsynced = node().disk().unsynced();

    Crash(kept);
    Open();

    EXPECT_EQ(Reads("c"), (Texts{"two", "three"}));
    const Consumer consumer = FindConsumer(Now(), kRepository, "c").value();
    EXPECT_LE(Truncated(), consumer.acknowledged);
    EXPECT_LE(Truncated(), Now().ObjectsDurable().value());
    Sync();
    EXPECT_EQ(Truncated(), consumer.acknowledged);
    if (kept >= unsynced) {
      EXPECT_GE(kept, 2u) << "there was something to lose";
      return;
    }
  }
}

TEST_P(ConsumersAloneTest, WhoFallsTooFarBehindInEntriesIsCutOffAndTold) {
  Start({.consumer_entries_max = 3});
  ASSERT_EQ(Make("stuck"), "");
  const Lsn acknowledged = FindConsumer(Now(), kRepository, "stuck")->acknowledged;
  for (const char* name : {"one", "two", "three"}) {
    Change(name);
  }
  Sync();
  EXPECT_EQ(Reads("stuck").size(), 3u) << "at the bound, not beyond it";
  EXPECT_EQ(manager().consumer_lags().at(0).entries, 3u);
  Change("four");
  Sync();

  const Result<Consumer> read = FindFollowingConsumer(Now(), kRepository, "stuck");
  ASSERT_FALSE(read);
  const ConsumerCutOff* lost = CutOffOf(read.error());
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->lost_first, acknowledged.Next());
  EXPECT_EQ(lost->lost_last, Now().lsn());
  EXPECT_EQ(Acknowledge("stuck", Now().lsn()), "not_found");
  EXPECT_EQ(node().metrics.Value("quorate_consumers_cut_off_total", {}), 1);
  Sync();
  EXPECT_EQ(Truncated(), Now().lsn()) << "it keeps nothing any more";
  EXPECT_EQ(node().metrics.Value("quorate_consumer_lag_entries",
                                 {{"partition", "7"}, {"consumer", "stuck"}}),
            0);

  ASSERT_EQ(Make("stuck"), "");
  Change("five");
  EXPECT_EQ(Reads("stuck"), (Texts{"five"}));
  EXPECT_EQ(Make("stuck"), "already_exists");
}

TEST_P(ConsumersAloneTest, WhoKeepsTooManyBytesIsCutOff) {
  Start({.consumer_bytes_max = 4000});
  ASSERT_EQ(Make("stuck"), "");
  Change("one");
  Sync();
  EXPECT_TRUE(FindFollowingConsumer(Now(), kRepository, "stuck"));
  Change("two", 3000);
  Sync();
  EXPECT_TRUE(FindFollowingConsumer(Now(), kRepository, "stuck"));
  EXPECT_GT(manager().consumer_lags().at(0).bytes, 3000u);
  Change("three", 2000);
  Sync();

  EXPECT_FALSE(FindFollowingConsumer(Now(), kRepository, "stuck"));
}

TEST_P(ConsumersTest, ConsumersGoWithTheirRepository) {
  Start();
  ASSERT_EQ(Make("c"), "");
  ASSERT_EQ(Transact([](Transaction& t) { return t.StageRepositoryDelete(kRepository); }), "");
  EXPECT_EQ(ListConsumers(Now(), kRepository).value().size(), 0u);

  ASSERT_EQ(Transact([](Transaction& create) {
              return create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1,
                                                  "refs/heads/main");
            }),
            "");
  EXPECT_EQ(Make("c"), "");
}

TEST_P(ConsumersAloneTest, OfTwoAcknowledgementsAtOnceOneConflicts) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  Transaction first = manager().Begin({}).value();
  ASSERT_TRUE(first.StageConsumerAck(kRepository, "c", Now().lsn()));

  ASSERT_EQ(Acknowledge("c", Now().lsn()), "");

  std::string message;
  manager().Commit(std::move(first), [&](const Result<CommitOutcome>& outcome) {
    message = outcome ? "committed" : outcome.error().message();
  });
  stage_->Run();
  EXPECT_TRUE(message.starts_with("consumer c")) << message;
}

TEST_P(ConsumersAloneTest, AnAcknowledgementFromBeforeWhatIsRememberedIsRefused) {
  TransactionManagerOptions options;
  options.window = {.entries_max = 1, .tail_entries = 0};
  Start(options);
  ASSERT_EQ(Make("c"), "");
  Transaction old = manager().Begin({}).value();
  ASSERT_TRUE(old.StageConsumerAck(kRepository, "c", Now().lsn()));
  Change("one");
  ASSERT_EQ(Acknowledge("c", Now().lsn()), "");
  Change("two");

  std::string message;
  manager().Commit(std::move(old), [&](const Result<CommitOutcome>& outcome) {
    message = outcome ? "committed" : outcome.error().message();
  });
  stage_->Run();
  EXPECT_TRUE(message.starts_with("snapshot too old")) << message;
}

TEST_P(ConsumersTest, MisuseIsRefused) {
  Start();
  EXPECT_EQ(Make(""), "invalid_argument");
  EXPECT_EQ(Make("a/b"), "invalid_argument");
  EXPECT_EQ(Make(".hidden"), "invalid_argument");
  EXPECT_EQ(Make(std::string(kConsumerNameBytesMax + 1, 'a')), "invalid_argument");
  ASSERT_EQ(Make("c"), "");
  EXPECT_EQ(Acknowledge("c", Lsn{Now().lsn().value + 100}), "invalid_argument");
  for (std::size_t i = 1; i < kConsumersMax; ++i) {
    ASSERT_EQ(Make("c" + std::to_string(i)), "");
  }
  EXPECT_EQ(Make("one-too-many"), "resource_exhausted");
}

TEST_P(ConsumersAloneTest, WhoWaitsForMoreIsToldOnce) {
  Start();
  int told = 0;
  const Lsn now = Now().lsn();
  manager().WatchApplied(now, [&told] { ++told; });
  const std::uint64_t ended = manager().WatchApplied(now, [&told] { told += 10; });
  manager().EndWatch(ended);
  EXPECT_EQ(told, 10);

  Change("one");
  EXPECT_EQ(told, 11);
  manager().WatchApplied(now, [&told] { told += 100; });
  EXPECT_EQ(told, 111) << "it is there already";
  manager().WatchApplied(Now().lsn(), [&told] { told += 1000; });
  stage_->Stop();
  EXPECT_EQ(told, 1111);
}

TEST_P(ConsumersTest, APositionIsTheSameOnEveryReplicaAndSoIsWhatIsRead) {
  Start();
  ASSERT_EQ(Make("c"), "");
  Change("one");
  Change("two");
  ASSERT_EQ(Acknowledge("c", Read("c", 1)[0].lsn), "");
  Change("three");
  Sync();
  const Consumer here = FindConsumer(Now(), kRepository, "c").value();

  for (Node* each : stage_->nodes()) {
    const Snapshot snapshot = each->manager().LocalSnapshot().value();
    EXPECT_EQ(FindConsumer(snapshot, kRepository, "c").value(), here);
    EXPECT_EQ(Names(ReadAt(*each, "c")), (Texts{"two", "three"}));
    EXPECT_LE(TruncatedAt(*each), here.acknowledged);
  }
}

TEST_P(ConsumersTest, OneThatIsStuckIsCutOffOnEveryReplicaWhileChangesGoOn) {
  Start({.consumer_entries_max = 5});
  ASSERT_EQ(Make("stuck"), "");
  for (int i = 0; i < 12; ++i) {
    Change("r" + std::to_string(i));
  }
  Sync();
  Change("later");

  for (Node* each : stage_->nodes()) {
    const Snapshot snapshot = each->manager().LocalSnapshot().value();
    EXPECT_TRUE(FindConsumer(snapshot, kRepository, "stuck").value().cut_off());
  }
  Sync();
  EXPECT_GT(Truncated(), FindConsumer(Now(), kRepository, "stuck").value().lost_first);
}

INSTANTIATE_TEST_SUITE_P(Modes, ConsumersTest, ::testing::Values("local", "raft1", "raft3"),
                         [](const auto& mode) { return mode.param; });
INSTANTIATE_TEST_SUITE_P(Modes, ConsumersAloneTest, ::testing::Values("local", "raft1"),
                         [](const auto& mode) { return mode.param; });

}  // namespace
}  // namespace quorate::txn
