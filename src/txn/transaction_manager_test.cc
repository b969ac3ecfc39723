#include "txn/transaction_manager.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "txn/internal/state_keys.h"
#include "txn/testing/scripted_log.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

constexpr RepositoryId kRepository{1};

RefUpdate Move(std::string name, std::optional<RefValue> before, std::optional<RefValue> after) {
  RefUpdate update{.repository = kRepository,
                   .name = std::move(name),
                   .expected = {},
                   .value = std::move(after)};
  update.expected.emplace();
  update.expected->value = std::move(before);
  return update;
}

// Over a log that the test drives. The repository exists.
class TransactionManagerTest : public ::testing::Test {
 protected:
  void Start(TransactionManagerOptions options = WithoutTail()) {
    world_ = std::make_unique<World>(mode_, std::nullopt, options);
    ASSERT_TRUE(world_->Open());
    world_->Run();
    world_->RunOnStrand([this] { log().Lead(); });
    Transaction create = Begin();
    ASSERT_TRUE(
        create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
    Commit(std::move(create));
    CommitLog();
    answers_.clear();
  }

  ScriptedLog& log() { return mode_.log(); }
  TransactionManager& manager() { return world_->manager(); }
  Transaction Begin() { return manager().Begin({}).value(); }

  void Commit(Transaction transaction) {
    manager().Commit(std::move(transaction), [this](Result<CommitOutcome> outcome) {
      answers_.emplace_back(outcome ? "committed" : CodeName(outcome.error().code()));
      if (!outcome) {
        last_error_ = outcome.error();
      }
    });
    world_->Run();
  }
  void CommitLog() {
    world_->RunOnStrand([this] { log().Commit(log().uncommitted()); });
  }
  // A transaction that creates a reference, alone.
  void Create(const std::string& name) {
    Transaction create = Begin();
    ASSERT_TRUE(create.StageRef(Move(name, {}, ValueOf('A'))));
    Commit(std::move(create));
  }

  // Its pack cannot be installed, and apply stalls.
  void PushForWhichThereIsNoRoom() {
    Transaction push = Begin();
    ASSERT_TRUE(push.StageRef(Move("refs/heads/a", {}, ValueOf('A'))));
    ASSERT_TRUE(push.StagePack(kRepository, world_->packs.NewInline("a")));
    world_->packs.FailNextInstall(Error(Code::kResourceExhausted, "no room"));
    Commit(std::move(push));
  }

  ScriptedMode mode_;
  std::unique_ptr<World> world_;
  std::vector<std::string> answers_;
  std::optional<Error> last_error_;
};

TEST_F(TransactionManagerTest, ASnapshotOlderThanTheWindowIsRefusedAndMayRetry) {
  Start({.window = {.bytes_max = 400, .tail_entries = 0}});
  Transaction old = Begin();
  const Lsn snapshot = old.snapshot().lsn();
  ASSERT_TRUE(old.StageRef(Move("refs/heads/old", {}, ValueOf('A'))));
  for (const char* name : {"refs/heads/a", "refs/heads/b", "refs/heads/c"}) {
    Create(name);
    CommitLog();
  }

  Commit(std::move(old));

  EXPECT_EQ(answers_.back(), "conflict");
  EXPECT_EQ(ConflictOf(*last_error_), nullptr);
  const SnapshotTooOld* too_old = SnapshotTooOldOf(*last_error_);
  ASSERT_NE(too_old, nullptr);
  EXPECT_EQ(too_old->snapshot, snapshot);
  EXPECT_GT(too_old->floor, snapshot);
  EXPECT_LE(manager().status().window_bytes, 400u);
  Create("refs/heads/old");
  CommitLog();
  EXPECT_EQ(answers_.back(), "committed");
}

TEST_F(TransactionManagerTest, WhoOnlyReadsIsNeverTooOldAndFindsNoBound) {
  Start({.window = {.bytes_max = 400, .tail_entries = 0}, .in_flight_max = 1});
  TransactionOptions options;
  options.isolation = Isolation::kSerializable;
  Transaction reader = manager().Begin(options).value();
  ASSERT_TRUE(reader.DeclareRefRead(kRepository, "refs/heads/a"));
  for (const char* name : {"refs/heads/a", "refs/heads/b", "refs/heads/c"}) {
    Create(name);
    CommitLog();
  }
  Create("refs/heads/d");  // In flight, and the only one that may be.
  answers_.clear();

  Commit(std::move(reader));
  CommitLog();

  EXPECT_EQ(answers_, (std::vector<std::string>{"committed", "committed"}));
}

TEST_F(TransactionManagerTest, TheWindowKeepsProposalsInFlightBeyondItsBound) {
  Start({.window = {.bytes_max = 100, .tail_entries = 0}});
  Create("refs/heads/a");
  Create("refs/heads/b");

  Create("refs/heads/a");

  EXPECT_EQ(answers_, (std::vector<std::string>{"conflict"}));
}

TEST_F(TransactionManagerTest, ASnapshotThatIsTooOldHoldsNoMemory) {
  Start({.window = {.age_max = std::chrono::minutes(1), .tail_entries = 4}});
  Transaction old = Begin();
  ASSERT_TRUE(old.StageRef(Move("refs/heads/old", {}, ValueOf('A'))));
  for (int i = 0; i < 10; ++i) {
    Create("refs/heads/b" + std::to_string(i));
  }
  CommitLog();
  ASSERT_GE(manager().status().window_keys, 10u);

  world_->env().Advance(std::chrono::minutes(2));
  ASSERT_TRUE(manager().SyncObjects());  // As the node does now and then.
  world_->Run();
  EXPECT_EQ(manager().status().window_keys, 0u);
  EXPECT_EQ(manager().status().window_bytes, 0u);
  Commit(std::move(old));

  ASSERT_NE(SnapshotTooOldOf(*last_error_), nullptr);
}

TEST_F(TransactionManagerTest, WhatDoesNotFitInFlightWaitsUntilSomeAreApplied) {
  Start({.in_flight_max = 2});
  for (const char* name : {"refs/heads/a", "refs/heads/b", "refs/heads/c", "refs/heads/d"}) {
    Create(name);
  }
  EXPECT_EQ(answers_, (std::vector<std::string>{}));
  EXPECT_EQ(manager().status().in_flight, 2u);

  Create("refs/heads/e");  // As many wait as may be in flight.
  EXPECT_EQ(answers_, (std::vector<std::string>{"resource_exhausted"}));

  CommitLog();
  CommitLog();
  Create("refs/heads/e");
  CommitLog();
  EXPECT_EQ(answers_, (std::vector<std::string>{"resource_exhausted", "committed", "committed",
                                                "committed", "committed", "committed"}));
}

TEST_F(TransactionManagerTest, WhatTheLogHasNoRoomForWaitsUntilSomeAreCommitted) {
  Start();
  world_->RunOnStrand([this] { log().LimitUncommitted(1); });
  for (const char* name : {"refs/heads/a", "refs/heads/b", "refs/heads/c"}) {
    Create(name);
  }
  EXPECT_EQ(answers_, (std::vector<std::string>{}));
  EXPECT_EQ(log().without_room(), 1) << "those who came later had it tried again";

  for (int i = 0; i < 3; ++i) {
    CommitLog();
  }
  EXPECT_EQ(answers_, (std::vector<std::string>{"committed", "committed", "committed"}));
}

TEST_F(TransactionManagerTest, WhoWaitsForRoomIsNotKeptByAFullDisk) {
  Start({.in_flight_max = 1});
  PushForWhichThereIsNoRoom();
  Create("refs/heads/b");

  CommitLog();
  EXPECT_EQ(answers_, (std::vector<std::string>{"committed", "resource_exhausted"}));

  manager().RetryApply();
  world_->Run();
  Create("refs/heads/b");
  CommitLog();
  EXPECT_EQ(answers_.back(), "committed");
}

TEST_F(TransactionManagerTest, ARepeatWaitsForItsFirstAttemptAlsoWithoutRoom) {
  Start({.in_flight_max = 1});
  for (int attempt = 0; attempt < 2; ++attempt) {
    TransactionOptions options;
    options.id = std::string(16, 'i');
    Transaction transaction = manager().Begin(options).value();
    ASSERT_TRUE(transaction.StageRef(Move("refs/heads/a", {}, ValueOf('A'))));
    Commit(std::move(transaction));
  }

  world_->RunOnStrand([this] { log().Depose(); });

  EXPECT_EQ(answers_, (std::vector<std::string>{"outcome_unknown", "outcome_unknown"}));
}

TEST_F(TransactionManagerTest, StopsBehindAFullDiskThoughNotEverythingWasCommitted) {
  Start();
  PushForWhichThereIsNoRoom();
  Create("refs/heads/b");
  world_->RunOnStrand([this] { log().Commit(1); });
  ASSERT_EQ(answers_, (std::vector<std::string>{"committed"}));

  bool stopped = false;
  manager().Stop([&stopped] { stopped = true; });
  world_->Run();

  EXPECT_TRUE(stopped);
  EXPECT_EQ(answers_, (std::vector<std::string>{"committed", "outcome_unknown"}));
}

TEST_F(TransactionManagerTest, ATransactionThatIsTooLargeIsRefused) {
  Start({.entry_bytes_max = 1000});
  Transaction large = Begin();
  ASSERT_TRUE(large.StageKey("key", std::nullopt, std::string(1000, 'x')));

  Commit(std::move(large));

  EXPECT_EQ(answers_, (std::vector<std::string>{"invalid_argument"}));
  EXPECT_EQ(manager().status().in_flight, 0u);
}

TEST_F(TransactionManagerTest, AConflictTellsEachReferenceItsOwn) {
  Start();
  Create("refs/heads/a");
  CommitLog();
  Transaction push = Begin();
  ASSERT_TRUE(push.StageRef(Move("refs/heads/b", {}, ValueOf('B'))));
  ASSERT_TRUE(push.StageRef(Move("refs/heads/a", ValueOf('X'), ValueOf('B'))));
  ASSERT_TRUE(push.StageRef(Move("refs/heads/a/b", {}, ValueOf('B'))));

  Commit(std::move(push));

  const Conflicts* conflicts = ConflictOf(*last_error_);
  ASSERT_NE(conflicts, nullptr);
  ASSERT_EQ(conflicts->refs.size(), 3u);
  EXPECT_FALSE(conflicts->refs[0]);
  EXPECT_EQ(conflicts->refs[1]->kind, Conflict::Kind::kValueChanged);
  EXPECT_EQ(conflicts->refs[1]->found, ValueOf('A'));
  EXPECT_EQ(conflicts->refs[2]->kind, Conflict::Kind::kNameConflict);
  EXPECT_EQ(conflicts->refs[2]->key,
            (ConflictKey{ConflictKey::Kind::kRef, kRepository, "refs/heads/a"}));
  EXPECT_EQ(conflicts->refs[2]->winner, std::nullopt);  // The snapshot has it.
  EXPECT_EQ(conflicts->all.size(), 2u);
}

// Both the loser of a race with an entry in flight and of one with an applied entry.
TEST_F(TransactionManagerTest, AConflictTellsWhichTransactionAndEntryWon) {
  Start();
  Transaction first = Begin();
  Transaction second = Begin();
  Transaction third = Begin();
  const TransactionId winner = first.id();
  for (Transaction* racer : {&first, &second, &third}) {
    ASSERT_TRUE(racer->StageRef(Move("refs/heads/a", {}, ValueOf('A'))));
  }
  const Lsn lsn = first.snapshot().lsn().Next();
  const auto expect_told = [&] {
    const Conflicts* conflicts = ConflictOf(*last_error_);
    ASSERT_NE(conflicts, nullptr);
    EXPECT_EQ(conflicts->all[0].winner, (Conflict::Winner{.lsn = lsn, .transaction = winner}));
    EXPECT_NE(last_error_->message().find(winner.ToHex()), std::string::npos);
  };

  Commit(std::move(first));
  Commit(std::move(second));
  expect_told();
  CommitLog();
  Commit(std::move(third));
  expect_told();

  EXPECT_EQ(answers_, (std::vector<std::string>{"conflict", "committed", "conflict"}));
}

TEST_F(TransactionManagerTest, ACommitThatWaitsForTheTermFenceCanBeCancelled) {
  Start();
  world_->RunOnStrand([this] { log().Depose(); });
  std::vector<std::string> told;
  const auto commit = [&](const std::string& name) {
    Transaction create = Begin();
    EXPECT_TRUE(create.StageRef(Move(name, {}, ValueOf('A'))));
    auto pack = world_->packs.NewSideStored(name);
    EXPECT_TRUE(pack->Persist());
    EXPECT_TRUE(create.StagePack(kRepository, std::move(pack)));
    return manager().Commit(std::move(create), [&told, name](Result<CommitOutcome> outcome) {
      told.push_back(name + (outcome ? " committed" : ": " + outcome.error().message()));
    });
  };
  world_->PostOnStrand([this] { log().Lead(); });
  auto first = commit("refs/heads/a");
  auto second = commit("refs/heads/b");
  for (int task = 0; task < 3; ++task) {
    ASSERT_TRUE(world_->RunOne());  // It leads, its no-op is not applied, and both wait.
  }
  ASSERT_TRUE(told.empty());

  first.Cancel();
  world_->Run();
  CommitLog();
  first.GiveUp();  // Both have been answered.
  second.GiveUp();
  world_->Run();

  EXPECT_EQ(told, (std::vector<std::string>{
                      "refs/heads/a: cancelled before it was admitted; nothing was done",
                      "refs/heads/b committed"}));
  EXPECT_FALSE(world_->packs.IsPersisted("refs/heads/a"));
  EXPECT_TRUE(world_->packs.IsInstalled("refs/heads/b"));
}

class ManyNamesTest : public TransactionManagerTest, public ::testing::WithParamInterface<int> {};

TEST_P(ManyNamesTest, AFewNamesInTheWayAreCountedManyAreNot) {
  Start();
  const int names = GetParam();
  const auto name = [](int i) { return "refs/heads/x/" + std::to_string(i); };
  Transaction create = Begin();
  for (int i = 0; i < names; ++i) {
    ASSERT_TRUE(create.StageRef(Move(name(i), {}, ValueOf('A'))));
  }
  Commit(std::move(create));
  CommitLog();
  Transaction erase = Begin();
  for (int i = 0; i < names; ++i) {
    ASSERT_TRUE(erase.StageRef(Move(name(i), ValueOf('A'), {})));
  }
  Transaction take = Begin();
  ASSERT_TRUE(take.StageRef(Move("refs/heads/x", {}, ValueOf('B'))));
  Commit(std::move(erase));
  Commit(std::move(take));
  CommitLog();

  // Beyond 64 the answer is "in the way", wrong but safe; a new snapshot tells it right.
  EXPECT_EQ(answers_[1], names <= 64 ? "committed" : "conflict");
  if (names > 64) {
    Create("refs/heads/x");
    CommitLog();
    EXPECT_EQ(answers_.back(), "committed");
  }
}

TEST_P(ManyNamesTest, ANameIsFreeIfTheTransactionItselfErasesAllBelowIt) {
  Start();
  const int names = GetParam();
  const auto name = [](int i) { return "refs/heads/x/" + std::to_string(i); };
  Transaction create = Begin();
  for (int i = 0; i < names; ++i) {
    ASSERT_TRUE(create.StageRef(Move(name(i), {}, ValueOf('A'))));
  }
  ASSERT_TRUE(create.StageRef(Move("refs/heads/x1", {}, ValueOf('A'))));
  Commit(std::move(create));
  CommitLog();

  const auto take_all_but = [&](int left) {
    Transaction take = Begin();
    ASSERT_TRUE(take.StageRef(Move("refs/heads/x", {}, ValueOf('B'))));
    ASSERT_TRUE(take.StageRef(Move("refs/heads/x1", ValueOf('A'), {})));
    ASSERT_TRUE(take.StageRef(Move("refs/heads/x/none", {}, {})));  // Erases nothing.
    for (int i = 0; i < names; ++i) {
      if (i != left) {
        ASSERT_TRUE(take.StageRef(Move(name(i), ValueOf('A'), {})));
      }
    }
    Commit(std::move(take));
    CommitLog();
  };
  take_all_but(names - 1);
  take_all_but(0);
  take_all_but(-1);

  EXPECT_EQ(answers_, (std::vector<std::string>{"committed", "conflict", "conflict", "committed"}));
}

INSTANTIATE_TEST_SUITE_P(Names, ManyNamesTest, ::testing::Values(1, 64, 65, 200));

TEST_F(TransactionManagerTest, SyncedObjectsLetTheLogGoButForAFewEntries) {
  Start({.entries_kept = 3});
  for (int i = 0; i < 5; ++i) {
    Create("refs/heads/b" + std::to_string(i));
  }
  CommitLog();
  EXPECT_EQ(log().compacted(), Lsn{0});

  ASSERT_TRUE(manager().SyncObjects());
  world_->Run();

  const Lsn applied = manager().status().applied;
  EXPECT_EQ(log().applied(), applied);
  EXPECT_EQ(manager().status().objects_durable, applied);
  EXPECT_EQ(log().compacted(), Lsn{applied.value - 3});
}

TEST_F(TransactionManagerTest, NothingIsDurableThatIsNotApplied) {
  Start();

  ASSERT_TRUE(manager().ObjectsDurable(Lsn{1'000'000}));

  EXPECT_EQ(manager().status().objects_durable, manager().status().applied);
}

TEST_F(TransactionManagerTest, WaitersLearnWhenThisReplicaAcceptsTransactions) {
  Start();
  world_->RunOnStrand([this] { log().Depose(); });
  std::vector<std::string> told;
  const auto wait = [this, &told] {
    manager().WaitWritable([&told](Status status) {
      told.emplace_back(status ? "writable" : CodeName(status.error().code()));
    });
    world_->Run();
  };
  wait();
  EXPECT_TRUE(told.empty());

  world_->RunOnStrand([this] { log().Lead(); });
  wait();
  world_->Stop();

  EXPECT_EQ(told, (std::vector<std::string>{"writable", "writable"}));
}

TEST_F(TransactionManagerTest, AReadWaitsForWhatIsCommittedAndEndsWithTheManager) {
  Start();
  std::vector<std::string> told;
  const auto read = [this, &told] {
    manager().ReadSnapshot([&told](Result<Snapshot> snapshot) {
      told.emplace_back(snapshot ? "read" : CodeName(snapshot.error().code()));
    });
  };
  read();
  world_->Run();
  world_->RunOnStrand([this] { log().Depose(); });
  read();
  world_->Run();
  world_->RunOnStrand([this] { log().Lead(); });
  manager().Stop([] {});
  read();
  world_->Run();

  EXPECT_EQ(told, (std::vector<std::string>{"read", "not_leader", "unavailable"}));
}

TEST_F(TransactionManagerTest, AFencedReplicaHandsOverToTheOthers) {
  Start();
  EXPECT_FALSE(log().resigned());

  world_->RunOnStrand([this] { log().Depose(); });
  world_->RunOnStrand([this] { log().Replace("no record"); });

  EXPECT_TRUE(manager().status().fenced);
  EXPECT_TRUE(log().resigned());
}

TEST_F(TransactionManagerTest, WhatWaitsForTheTermFenceIsRefusedWhenThePartitionCloses) {
  Start();
  Transaction waits = Begin();
  ASSERT_TRUE(waits.StageRef(Move("refs/heads/a", {}, ValueOf('A'))));
  world_->RunOnStrand([this] { log().Depose(); });
  std::vector<std::string> told;

  // All of it on the strand before the new leader's no-op can be applied.
  world_->RunOnStrand([&] {
    log().Lead();
    manager().Commit(std::move(waits), [&told](const Result<CommitOutcome>& outcome) {
      told.emplace_back(outcome ? "committed" : CodeName(outcome.error().code()));
    });
    manager().Stop([&told] { told.emplace_back("stopped"); });
  });

  EXPECT_EQ(told, (std::vector<std::string>{"unavailable", "stopped"}));
  EXPECT_EQ(log().uncommitted(), 0u);
}

TEST_F(TransactionManagerTest, APartitionThatCannotBeOpenedSaysSoAndCloses) {
  const std::unique_ptr<LogMode> local = NewLocalMode();
  World world(*local, std::nullopt);
  kv::WriteBatch nonsense;
  nonsense.Put(kv::Family::kState, internal::AppliedKey(World::kPartition), "?");
  ASSERT_TRUE(world.disk.Write(std::move(nonsense), {.sync = true}));

  const Status opened = world.Open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kCorruption);
  EXPECT_EQ(world.manager().Begin({}).error().code(), Code::kCorruption);
  EXPECT_EQ(world.manager().LocalSnapshot().error().code(), Code::kCorruption);
  world.Stop();  // It stops, or this aborts.
}

TEST_F(TransactionManagerTest, ATransactionMayOutliveItsManager) {
  Start();
  Transaction open = Begin();

  world_->Stop();

  EXPECT_EQ(open.snapshot().FindRepository(kRepository).value()->id, kRepository);
}

TEST_F(TransactionManagerTest, OutcomesAndLatenciesAreCounted) {
  Start();
  Create("refs/heads/a");
  Create("refs/heads/a");
  CommitLog();

  const env::FakeMetrics& metrics = world_->metrics;
  EXPECT_EQ(metrics.Value("quorate_transactions_total", {{"outcome", "committed"}}), 2);
  EXPECT_EQ(metrics.Value("quorate_transactions_total", {{"outcome", "conflict"}}), 1);
  EXPECT_EQ(metrics.Observations("quorate_transaction_verify_seconds"), 2);
  EXPECT_EQ(metrics.Observations("quorate_transaction_commit_seconds"), 2);
  EXPECT_GE(metrics.Observations("quorate_transaction_apply_seconds"), 2);
  EXPECT_EQ(metrics.Value("quorate_transaction_window_keys"), 0);
}

TEST_F(TransactionManagerTest, TheTailOfTheWindowIsReadFromTheLogAtOpen) {
  const std::unique_ptr<LogMode> local = NewLocalMode();
  World world(*local, std::nullopt, {.window = {.tail_entries = 5}});
  ASSERT_TRUE(world.Open());
  world.Run();
  for (int i = 0; i < 8; ++i) {
    Transaction staged = world.manager().Begin({}).value();
    ASSERT_TRUE(staged.StageKey("key" + std::to_string(i), std::nullopt, "value"));
    world.manager().Commit(std::move(staged),
                           [](Result<CommitOutcome> outcome) { EXPECT_TRUE(outcome); });
    world.Run();
  }
  const TransactionManager::ManagerStatus before = world.manager().status();
  ASSERT_EQ(before.window_keys, 5u);

  world.Crash(world.disk.unsynced());
  ASSERT_TRUE(world.Open());
  world.Run();
  Transaction next = world.manager().Begin({}).value();  // The window is told of with a commit.
  world.manager().Commit(std::move(next), [](Result<CommitOutcome>) {});
  world.Run();

  // The no-op of this start is one of the last five entries now.
  EXPECT_EQ(world.manager().status().window_keys, before.window_keys - 1);
  EXPECT_EQ(world.manager().status().window_bytes, before.window_bytes / 5 * 4);
}

TEST_F(TransactionManagerTest, PacksBesideTheLogAreNamedAtOpen) {
  const std::unique_ptr<LogMode> local = NewLocalMode();
  World world(*local, std::nullopt);
  ASSERT_TRUE(world.Open());
  world.Run();
  const auto push = [&world](std::string bytes, bool create) {
    Transaction staged = world.manager().Begin({}).value();
    if (create) {
      ASSERT_TRUE(
          staged.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
    }
    auto pack = world.packs.NewSideStored(std::move(bytes));
    ASSERT_TRUE(pack->Persist());
    ASSERT_TRUE(staged.StagePack(kRepository, std::move(pack)));
    world.manager().Commit(std::move(staged),
                           [](Result<CommitOutcome> outcome) { EXPECT_TRUE(outcome); });
    world.Run();
  };
  push("synced", true);
  ASSERT_TRUE(world.manager().SyncObjects());
  world.Run();
  push("not synced", false);

  world.Crash(world.disk.unsynced());
  ASSERT_TRUE(world.Open());

  EXPECT_EQ(world.named_beside_the_log, std::vector{Sha256("not synced")});
  EXPECT_TRUE(world.packs.IsInstalled("not synced"));
}

TEST(CurrentLsnTest, IsWhatIsAppliedUnlessMoreIsCommitted) {
  const std::unique_ptr<LogMode> mode = NewLocalMode();
  World world(*mode, std::nullopt);
  ASSERT_TRUE(world.Open());
  const std::optional<Lsn> before = world.manager().CurrentLsn();
  EXPECT_EQ(before, world.manager().status().applied);

  Transaction set = world.manager().Begin({}).value();
  ASSERT_TRUE(set.StageKey("key", {}, "value"));
  bool committed = false;
  world.manager().Commit(std::move(set), [&](const Result<CommitOutcome>&) { committed = true; });
  while (!committed && world.RunOne()) {
    EXPECT_TRUE(committed || world.manager().CurrentLsn() == before);
  }
  EXPECT_EQ(world.manager().CurrentLsn(), std::nullopt);
  world.Run();

  EXPECT_GT(world.manager().CurrentLsn(), before);
  EXPECT_EQ(world.manager().CurrentLsn(), world.manager().status().applied);
}

// Then only the leader can tell.
TEST_F(TransactionManagerTest, NothingIsKnownToBeCurrentWhileOthersCouldCommit) {
  Start();

  EXPECT_EQ(manager().CurrentLsn(), std::nullopt);
}

}  // namespace
}  // namespace quorate::txn
