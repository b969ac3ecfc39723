// What a replica hands to a state machine that applies more slowly than the group commits.
#include <gtest/gtest.h>

#include <string>
#include <vector>

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
  void Commit(std::uint64_t entries) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      cluster_.Run(kLeader, [&] {
        ASSERT_TRUE(cluster_.replica(kLeader)->Append(std::string(kEntryBytes, 'x')).has_value());
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
  const log::LogStatus leader = cluster_.StatusOf(kLeader);
  EXPECT_EQ(cluster_.StatusOf(kFollower).committed, leader.committed);
  EXPECT_LE(cluster_.machine(kFollower).unapplied_bytes(), kUnappliedMax);
  EXPECT_GT(cluster_.machine(kFollower).unapplied_bytes(), kUnappliedMax / 2);

  ApplyAll(kFollower);
  EXPECT_EQ(cluster_.machine(kFollower).state(), cluster_.machine(kLeader).state());
}

TEST_F(DeliveryTest, RestartOverALongUnappliedLogIsHandedABoundedPart) {
  Commit(kEntries);
  const Lsn committed = cluster_.StatusOf(kFollower).committed;
  cluster_.Crash(kFollower, 1000);
  ASSERT_TRUE(cluster_.Start(kFollower).has_value());
  for (int tick = 0; tick < 2; ++tick) {  // A heartbeat tells it what is committed.
    cluster_.Run(kLeader, [&] { cluster_.replica(kLeader)->Tick(); });
  }
  cluster_.Settle();
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
  ApplyAll(kFollower);
  EXPECT_EQ(cluster_.machine(kLeader).state(), cluster_.machine(kFollower).state());
}

TEST(SoleVoterDeliveryTest, LeadsOnceAStartOverALongLogHasCaughtUp) {
  Silent observer;
  Cluster cluster(Options(1), observer);
  const auto apply_all = [&] {
    while (cluster.machine(kLeader).unapplied() > 0) {
      cluster.Run(kLeader, [&] { cluster.machine(kLeader).ApplySome(3); });
      EXPECT_LE(cluster.machine(kLeader).unapplied_bytes(), kUnappliedMax);
    }
  };
  ASSERT_TRUE(cluster.Start(kLeader).has_value());
  cluster.env().RunUntilIdle();
  apply_all();
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    cluster.Run(kLeader, [&] {
      ASSERT_TRUE(cluster.replica(kLeader)->Append(std::string(kEntryBytes, 'x')).has_value());
    });
  }
  const Lsn last = cluster.StatusOf(kLeader).committed;

  cluster.Crash(kLeader, 1000);
  observer.leading.clear();
  ASSERT_TRUE(cluster.Start(kLeader).has_value());
  cluster.env().RunUntilIdle();
  EXPECT_LE(cluster.machine(kLeader).unapplied_bytes(), kUnappliedMax);
  EXPECT_TRUE(observer.leading.empty());

  apply_all();
  EXPECT_EQ(observer.leading, std::vector<ReplicaId>{kLeader});
  EXPECT_EQ(cluster.machine(kLeader).applied().lsn, last.Next());  // And its no-op.
}

}  // namespace
}  // namespace quorate::raft
