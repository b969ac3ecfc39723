#include "sim/group.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "txn/testing/world.h"

namespace quorate::sim {
namespace {

constexpr RepositoryId kRepository{1};

class GroupTest : public ::testing::Test {
 protected:
  explicit GroupTest(std::uint64_t replicas = 3) : group_({.replicas = replicas, .seed = 7}) {
    EXPECT_TRUE(group_.StartAll());
  }

  // Commits at the leader; nothing if there is none or it refuses.
  std::optional<Lsn> Commit(const std::function<void(txn::Transaction&)>& stage) {
    const std::optional<ReplicaId> leader = group_.AwaitLeader();
    if (!leader) {
      return std::nullopt;
    }
    txn::TransactionManager& manager = group_.node(*leader).manager();
    txn::Transaction transaction = manager.Begin({}).value();
    stage(transaction);
    std::optional<Lsn> lsn;
    manager.Commit(std::move(transaction), [&lsn](Result<txn::CommitOutcome> outcome) {
      lsn = outcome ? std::optional(outcome->lsn) : std::nullopt;
    });
    group_.Settle();
    return lsn;
  }
  std::optional<Lsn> CommitRepository() {
    return Commit([](txn::Transaction& transaction) {
      EXPECT_TRUE(transaction.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1,
                                                    "refs/heads/main"));
    });
  }
  std::optional<Lsn> CommitRef(const std::string& name, char value) {
    return Commit([&](txn::Transaction& transaction) {
      EXPECT_TRUE(transaction.StageRef({.repository = kRepository,
                                        .name = "refs/heads/" + name,
                                        .expected = {},
                                        .value = txn::ValueOf(value)}));
    });
  }
  std::optional<txn::RefValue> RefAt(ReplicaId id, const std::string& name) {
    return group_.node(id)
        .manager()
        .LocalSnapshot()
        ->FindRef(kRepository, "refs/heads/" + name)
        .value();
  }

  Group group_;
};

class LoneGroupTest : public GroupTest {
 protected:
  LoneGroupTest() : GroupTest(1) {}
};

TEST_F(GroupTest, EveryReplicaAppliesWhatTheLeaderCommits) {
  ASSERT_TRUE(CommitRepository());
  ASSERT_TRUE(CommitRef("main", 'A'));
  for (int turn = 0; turn < 20; ++turn) {
    group_.Turn();  // Followers learn of the commit with the next heartbeat.
  }

  for (const ReplicaId id : group_.ids()) {
    EXPECT_EQ(RefAt(id, "main"), txn::ValueOf('A')) << id.value;
  }
}

TEST_F(GroupTest, LeadershipMovesWhereItIsSent) {
  for (const ReplicaId to : {ReplicaId{2}, ReplicaId{3}, ReplicaId{1}}) {
    ASSERT_TRUE(group_.MoveLeader(to));
    EXPECT_EQ(group_.leader(), to);
  }
  EXPECT_TRUE(CommitRepository());
}

TEST_F(GroupTest, AnotherReplicaLeadsAfterTheLeadersCrash) {
  ASSERT_TRUE(CommitRepository());
  ASSERT_TRUE(CommitRef("main", 'A'));
  const ReplicaId first = *group_.leader();
  group_.Crash(first, 0);

  ASSERT_TRUE(CommitRef("side", 'B'));
  EXPECT_NE(group_.leader(), first);
  ASSERT_TRUE(group_.Start(first));
  ASSERT_TRUE(group_.TurnUntil([&] { return RefAt(first, "side").has_value(); }));
  EXPECT_EQ(RefAt(first, "main"), txn::ValueOf('A'));
}

TEST_F(GroupTest, NothingIsCommittedWithoutAMajority) {
  ASSERT_TRUE(CommitRepository());
  const ReplicaId leader = *group_.leader();
  for (const ReplicaId id : group_.ids()) {
    if (id != leader) {
      group_.Crash(id, 0);
    }
  }

  EXPECT_EQ(CommitRef("main", 'A'), std::nullopt);
  EXPECT_EQ(RefAt(leader, "main"), std::nullopt);
}

TEST_F(LoneGroupTest, LeadsAtOnceAndKeepsWhatItAcknowledged) {
  group_.Settle();
  ASSERT_EQ(group_.leader(), ReplicaId{1});
  ASSERT_TRUE(CommitRepository());
  ASSERT_TRUE(CommitRef("main", 'A'));

  group_.Crash(ReplicaId{1}, 0);
  ASSERT_TRUE(group_.Start(ReplicaId{1}));
  group_.Settle();

  EXPECT_EQ(RefAt(ReplicaId{1}, "main"), txn::ValueOf('A'));
}

TEST_F(LoneGroupTest, AnElectionThatIsCalledBeforeItsOwnDoesNotFenceIt) {
  group_.OnStrand(ReplicaId{1}, [](raft::Replica& replica) { EXPECT_TRUE(replica.Campaign()); });
  group_.Settle();

  EXPECT_EQ(group_.leader(), ReplicaId{1});
  EXPECT_TRUE(CommitRepository());
}

TEST(GroupRunTest, TheSameSeedIsTheSameRun) {
  const auto digest = [](std::uint64_t seed) {
    Group group({.replicas = 3, .seed = seed});
    EXPECT_TRUE(group.StartAll());
    EXPECT_TRUE(group.MoveLeader(ReplicaId{3}));
    return group.network().digest();
  };
  EXPECT_EQ(digest(3), digest(3));
  EXPECT_NE(digest(3), digest(4));
}

}  // namespace
}  // namespace quorate::sim
