// What a replica hands to a state machine that applies more slowly than the group commits.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "consensus/message.h"
#include "raft/testing/cluster.h"

namespace quorate::raft {
namespace {

constexpr ReplicaId kLeader{1};
constexpr ReplicaId kFollower{2};
constexpr ReplicaId kThird{3};
constexpr std::size_t kUnappliedMax = 64 << 10;
constexpr std::size_t kEntryBytes = 4 << 10;
constexpr std::uint64_t kEntries = 200;  // Many times what may be unapplied.

class Silent final : public MachineObserver {
 public:
  void OnCommitted(ReplicaId, const consensus::Entry&) override {}
  void OnLeading(ReplicaId at, Term, Lsn) override { leading.push_back(at); }
  void OnFollowing(ReplicaId, Term, ReplicaId) override {}
  void OnFenced(ReplicaId, const Error& reason) override { ADD_FAILURE() << reason.ToString(); }

  std::vector<ReplicaId> leading;
};

ClusterOptions Options(std::uint64_t replicas) {
  ClusterOptions options;
  options.replicas = replicas;
  options.lazy_machines = true;
  options.replica.unapplied_bytes_max = kUnappliedMax;
  options.replica.committed_bytes_per_ready_max = 16 << 10;
  options.replica.cache_bytes_max = 8 << 10;  // What is held back is read from the store.
  return options;
}

class DeliveryTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const ReplicaId id : cluster_.ids()) {
      ASSERT_TRUE(cluster_.Start(id).has_value());
    }
    cluster_.Run(kLeader, [&] { ASSERT_TRUE(cluster_.replica(kLeader)->Campaign().has_value()); });
    cluster_.Settle();
    ApplyAll(kLeader);
    ASSERT_TRUE(cluster_.StatusOf(kLeader).leading);
  }

  void ApplyAll(ReplicaId id) {
    while (cluster_.machine(id).unapplied() > 0) {
      cluster_.Run(id, [&] { cluster_.machine(id).ApplySome(3); });
      EXPECT_LE(cluster_.machine(id).unapplied_bytes(), kUnappliedMax);
    }
  }

  // The leader's machine keeps up; the others do nothing.
  void Commit(std::uint64_t entries, std::size_t bytes = kEntryBytes) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      cluster_.Run(kLeader, [&] {
        ASSERT_TRUE(cluster_.replica(kLeader)->Append(std::string(bytes, 'x')).has_value());
      });
      cluster_.Settle();
      ApplyAll(kLeader);
    }
  }

  Silent observer_;
  Cluster cluster_{Options(3), observer_};
};

TEST_F(DeliveryTest, FollowerThatDoesNotApplyIsHandedABoundedPart) {
  Commit(kEntries);
  cluster_.Heartbeat(kLeader);
  const log::LogStatus leader = cluster_.StatusOf(kLeader);
  EXPECT_EQ(cluster_.StatusOf(kFollower).committed, leader.committed);
  EXPECT_LE(cluster_.machine(kFollower).unapplied_bytes(), kUnappliedMax);
  EXPECT_GT(cluster_.machine(kFollower).unapplied_bytes(), kUnappliedMax / 2);

  ApplyAll(kFollower);
  EXPECT_EQ(cluster_.machine(kFollower).state(), cluster_.machine(kLeader).state());
}

TEST_F(DeliveryTest, RestartOverALongUnappliedLogIsHandedABoundedPart) {
  Commit(kEntries);
  const Lsn committed = cluster_.StatusOf(kLeader).committed;
  cluster_.Crash(kFollower, 1000);
  ASSERT_TRUE(cluster_.Start(kFollower).has_value());
  cluster_.Heartbeat(kLeader);
  EXPECT_LE(cluster_.machine(kFollower).unapplied_bytes(), kUnappliedMax);
  EXPECT_GT(cluster_.machine(kFollower).unapplied_bytes(), 0U);

  ApplyAll(kFollower);
  EXPECT_EQ(cluster_.machine(kFollower).applied().lsn, committed);
}

// Its no-op is behind all that it has not applied.
TEST_F(DeliveryTest, NewLeaderLeadsOnceItHasCaughtUp) {
  Commit(kEntries);
  cluster_.Crash(kLeader, 1000);
  observer_.leading.clear();
  for (int tick = 0; tick < 10; ++tick) {  // Or the third would still believe in the old leader.
    cluster_.Run(kThird, [&] { cluster_.replica(kThird)->Tick(); });
  }
  cluster_.Settle();
  cluster_.Run(kFollower,
               [&] { ASSERT_TRUE(cluster_.replica(kFollower)->Campaign().has_value()); });
  cluster_.Settle();
  EXPECT_EQ(cluster_.StatusOf(kFollower).leader, kFollower);
  EXPECT_TRUE(observer_.leading.empty());

  ApplyAll(kFollower);
  EXPECT_EQ(observer_.leading, std::vector<ReplicaId>{kFollower});
  bool appended = false;
  cluster_.Run(kFollower,
               [&] { appended = cluster_.replica(kFollower)->Append("more").has_value(); });
  EXPECT_TRUE(appended);
}

TEST_F(DeliveryTest, WhatAFullWindowHoldsBackIsNotGatheredAgain) {
  Commit(kEntries, 1 << 10);
  ASSERT_LT(cluster_.machine(kFollower).applied().lsn, cluster_.StatusOf(kFollower).committed);

  ApplyAll(kFollower);

  EXPECT_EQ(cluster_.machine(kFollower).applied().lsn, cluster_.StatusOf(kFollower).committed);
}

// A change that is committed and not applied is in the way of an election. The leader is gone
// before the only one who can be elected has room for it, so no heartbeat comes any more.
TEST_F(DeliveryTest, AChangeBehindAFullWindowDoesNotKeepTheGroupWithoutALeader) {
  Commit(kEntries, 1 << 10);  // In all less than what would be too many bytes to wait with.
  cluster_.Heartbeat(kLeader);
  cluster_.Crash(kThird, 1000);
  cluster_.Run(kLeader, [&] {
    ASSERT_TRUE(
        cluster_.replica(kLeader)
            ->ProposeConfChange({.changes = {{.kind = consensus::ConfChangeKind::kAddLearner,
                                              .replica = ReplicaId{9}}},
                                 .context = {}})
            .has_value());
  });
  cluster_.Settle();
  ASSERT_EQ(cluster_.StatusOf(kFollower).committed, cluster_.StatusOf(kLeader).committed);
  ASSERT_LT(cluster_.machine(kFollower).applied().lsn, cluster_.StatusOf(kFollower).committed);
  cluster_.Crash(kLeader, 1000);
  ASSERT_TRUE(cluster_.Start(kThird).has_value());
  observer_.leading.clear();

  ApplyAll(kFollower);
  for (int tick = 0; tick < 40; ++tick) {
    for (const ReplicaId id : {kFollower, kThird}) {
      cluster_.Run(id, [&, id] { cluster_.replica(id)->Tick(); });
      ApplyAll(id);
    }
    cluster_.Settle();
  }

  EXPECT_EQ(observer_.leading, std::vector<ReplicaId>{kFollower});
}

TEST_F(DeliveryTest, LeaderThatDoesNotApplyCommitsAndStaysLeader) {
  const Lsn before = cluster_.StatusOf(kLeader).committed;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    cluster_.Run(kLeader, [&] {
      ASSERT_TRUE(cluster_.replica(kLeader)->Append(std::string(kEntryBytes, 'x')).has_value());
    });
    cluster_.Settle();
    ApplyAll(kFollower);
  }
  EXPECT_EQ(cluster_.StatusOf(kLeader).committed, Lsn{before.value + kEntries});
  EXPECT_LE(cluster_.machine(kLeader).unapplied_bytes(), kUnappliedMax);

  for (int tick = 0; tick < 100; ++tick) {  // Many election timeouts.
    for (const ReplicaId id : cluster_.ids()) {
      cluster_.Run(id, [&, id] { cluster_.replica(id)->Tick(); });
    }
    cluster_.Settle();
  }
  EXPECT_TRUE(cluster_.StatusOf(kLeader).leading);
  EXPECT_EQ(observer_.leading, std::vector<ReplicaId>{kLeader});

  ApplyAll(kLeader);
  cluster_.Heartbeat(kLeader);
  ApplyAll(kFollower);
  EXPECT_EQ(cluster_.machine(kLeader).state(), cluster_.machine(kFollower).state());
}

// What a follower gathers, and what it does not wait with.
class GatheringTest : public testing::Test {
 protected:
  static constexpr std::size_t kGathered = 8;

  static ClusterOptions Options() {
    ClusterOptions options;
    options.replicas = 3;
    options.replica.gathered_entries_max = kGathered;
    options.replica.gathered_bytes_max = 1000;
    return options;
  }

  void SetUp() override {
    for (const ReplicaId id : cluster_.ids()) {
      ASSERT_TRUE(cluster_.Start(id).has_value());
    }
    cluster_.Run(kLeader, [&] { ASSERT_TRUE(cluster_.replica(kLeader)->Campaign().has_value()); });
    cluster_.Settle();
    cluster_.Heartbeat(kLeader);
    ASSERT_EQ(Applied(kFollower), Applied(kLeader));
  }

  Lsn Append(std::size_t bytes = 1) {
    Lsn lsn;
    cluster_.Run(kLeader, [&] {
      lsn = cluster_.replica(kLeader)->Append(std::string(bytes, 'x')).value().lsn;
    });
    cluster_.Settle();
    EXPECT_EQ(Applied(kLeader), lsn);
    return lsn;
  }
  Lsn Applied(ReplicaId id) { return cluster_.machine(id).applied().lsn; }

  Silent observer_;
  Cluster cluster_{Options(), observer_};
};

TEST_F(GatheringTest, AFollowerHearsOfACommitWithTheNextEntry) {
  const Lsn first = Append();
  EXPECT_LT(cluster_.StatusOf(kFollower).committed, first);
  Append();
  EXPECT_EQ(cluster_.StatusOf(kFollower).committed, first);
}

TEST_F(GatheringTest, AFollowerAppliesManyEntriesAtOnce) {
  const Lsn before = Applied(kFollower);
  for (std::size_t i = 0; i < kGathered; ++i) {
    Append();
    EXPECT_EQ(Applied(kFollower), before);
  }
  const Lsn last = Append();  // With it comes that the one before is committed.
  EXPECT_EQ(Applied(kFollower), Lsn{last.value - 1});
}

TEST_F(GatheringTest, ManyBytesAreNotGathered) {
  const Lsn large = Append(1000);
  Append();
  EXPECT_EQ(Applied(kFollower), large);
  Append();
  EXPECT_EQ(Applied(kFollower), large);  // Few again.
}

TEST_F(GatheringTest, AHeartbeatEndsTheWait) {
  const Lsn last = Append();
  EXPECT_LT(Applied(kFollower), last);
  cluster_.Heartbeat(kLeader);
  EXPECT_EQ(Applied(kFollower), last);
  EXPECT_EQ(Applied(kThird), last);
}

TEST_F(GatheringTest, AReadAtAFollowerEndsTheWait) {
  const Lsn last = Append();
  EXPECT_LT(Applied(kFollower), last);

  // Without the heartbeats with which the leader asks whether it still leads: the third answers.
  cluster_.network().SetGate([](const Message& message) {
    const auto header = consensus::PeekMessage(message.bytes);
    return message.to != kFollower ||
           header->type != static_cast<std::uint32_t>(consensus::MessageType::kHeartbeat);
  });
  Lsn readable;
  cluster_.Run(kFollower, [&] {
    cluster_.replica(kFollower)->ReadBarrier(
        [&readable](const Result<Lsn>& barrier) { readable = barrier.value(); });
  });
  cluster_.Settle();

  EXPECT_EQ(readable, last);
  EXPECT_EQ(Applied(kFollower), last);
}

// What it may read is committed, and not on its disk when the answer comes.
TEST_F(GatheringTest, AReadAtAFollowerWithASlowDiskIsNotLate) {
  cluster_.network().Cut(kLeader, kFollower);
  const Lsn last = Append();
  cluster_.network().Heal();
  Lsn readable;
  cluster_.Run(kFollower, [&] {
    cluster_.replica(kFollower)->ReadBarrier(
        [&readable](const Result<Lsn>& barrier) { readable = barrier.value(); });
  });
  cluster_.disk(kFollower).Shut();
  cluster_.Settle();
  EXPECT_EQ(readable, last);
  EXPECT_LT(Applied(kFollower), last);

  cluster_.disk(kFollower).Open();
  cluster_.env().RunUntilIdle();

  EXPECT_EQ(Applied(kFollower), last);
}

TEST_F(GatheringTest, ANewLeaderEndsTheWait) {
  const Lsn known = Append();
  Append();
  EXPECT_LT(Applied(kThird), known);
  cluster_.Run(kLeader, [&] {
    ASSERT_TRUE(cluster_.replica(kLeader)->TransferLeadership(kFollower).has_value());
  });
  cluster_.Settle();
  EXPECT_EQ(cluster_.StatusOf(kThird).leader, kFollower);
  EXPECT_EQ(Applied(kThird), known);
}

TEST_F(GatheringTest, AChangeOfTheConfigurationEndsTheWait) {
  Append();
  Lsn change;
  cluster_.Run(kLeader, [&] {
    change =
        cluster_.replica(kLeader)
            ->ProposeConfChange(
                {.changes = {{.kind = consensus::ConfChangeKind::kAddLearner, .replica = kThird}},
                 .context = {}})
            .value()
            .lsn;
  });
  cluster_.Settle();
  EXPECT_EQ(Applied(kFollower), change);
}

TEST_F(GatheringTest, WhoIsElectedHasAppliedEverythingBeforeItLeads) {
  Append();
  const Lsn last = Append();
  EXPECT_LT(Applied(kFollower), last);
  cluster_.Run(kLeader, [&] {
    ASSERT_TRUE(cluster_.replica(kLeader)->TransferLeadership(kFollower).has_value());
  });
  cluster_.Settle();
  EXPECT_TRUE(cluster_.StatusOf(kFollower).leading);
  EXPECT_EQ(Applied(kFollower), last.Next());
}

class SoleVoterDeliveryTest : public testing::Test {
 protected:
  void SetUp() override {
    Start();
    ApplyAll();
  }

  void Start() {
    ASSERT_TRUE(cluster_.Start(kLeader).has_value());
    cluster_.env().RunUntilIdle();
  }
  void ApplyAll() {
    while (machine().unapplied() > 0) {
      cluster_.Run(kLeader, [&] { machine().ApplySome(3); });
      EXPECT_LE(machine().unapplied_bytes(), kUnappliedMax);
    }
  }
  void Append(std::uint64_t entries) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      cluster_.Run(kLeader, [&] {
        ASSERT_TRUE(cluster_.replica(kLeader)->Append(std::string(kEntryBytes, 'x')).has_value());
      });
    }
  }
  RecordingMachine& machine() { return cluster_.machine(kLeader); }

  Silent observer_;
  Cluster cluster_{Options(1), observer_};
};

TEST_F(SoleVoterDeliveryTest, LeadsOnceAStartOverALongLogHasCaughtUp) {
  Append(kEntries);
  const Lsn last = cluster_.StatusOf(kLeader).committed;

  cluster_.Crash(kLeader, 1000);
  observer_.leading.clear();
  Start();
  EXPECT_LE(machine().unapplied_bytes(), kUnappliedMax);
  EXPECT_TRUE(observer_.leading.empty());

  ApplyAll();
  EXPECT_EQ(observer_.leading, std::vector<ReplicaId>{kLeader});
  EXPECT_EQ(machine().applied().lsn, last.Next());  // And its no-op.
}

// The stored commit is ahead of what is applied, by less than a follower would wait for.
TEST_F(SoleVoterDeliveryTest, GathersNothing) {
  Append(3);
  cluster_.Run(kLeader, [&] { machine().ApplySome(1); });
  cluster_.Run(kLeader, [&] { cluster_.replica(kLeader)->Stop([] {}); });
  const log::StoredLog stored = cluster_.logs(kLeader).Load(Cluster::kPartition).value();
  ASSERT_GT(stored.hard_state.commit, machine().applied().lsn);
  cluster_.Crash(kLeader, 1000);
  observer_.leading.clear();

  Start();
  ApplyAll();

  EXPECT_EQ(observer_.leading, std::vector<ReplicaId>{kLeader});
}

}  // namespace
}  // namespace quorate::raft
