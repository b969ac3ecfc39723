// Directed probes: checkpoints on their way to a lagging follower.
#include <gtest/gtest.h>

#include "consensus/testing/probe_net.h"

namespace quorate::consensus::testing {
namespace {

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

// Replica 3 is cut off, misses `count` entries, and the others compact them away.
void LeaveBehind(ProbeNet& net, int count) {
  net.isolated = {3};
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(net.Propose(1, "s"));
    net.Settle(2);
  }
  net.Settle();
  net.at(1).Compact(2);
  net.at(2).Compact(2);
  net.isolated.clear();
}

PeerProgress ProgressOf(ProbeNet& net, std::uint64_t leader, std::uint64_t peer) {
  const auto peers = net.node(leader).Progress();
  for (const PeerProgress& progress : *peers) {
    if (progress.id == ReplicaId{peer}) {
      return progress;
    }
  }
  return {};
}

TEST(CheckpointProbe, InstalledAfterBeingTemporarilyUnavailable) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  LeaveBehind(net, 50);
  net.at(1).storage.checkpoints_unavailable = 3;

  net.Ticks(12);

  EXPECT_EQ(net.at(1).storage.checkpoints_unavailable, 0);
  EXPECT_EQ(net.at(3).installs(), 1U);
  EXPECT_GT(net.at(3).disk().truncated.lsn, kBootstrapPosition.lsn);
  EXPECT_EQ(net.at(3).disk().state, net.at(1).disk().state);
  EXPECT_EQ(net.status(3).applied, net.status(1).applied);
  EXPECT_EQ(ProgressOf(net, 1, 3).state, ProgressState::kReplicate);
}

TEST(CheckpointProbe, SurvivesARestartRightAfter) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  LeaveBehind(net, 50);
  net.Ticks(12);

  net.at(3).Crash(0);
  ASSERT_TRUE(net.at(3).Start()) << net.at(3).why();
  ASSERT_TRUE(net.Propose(1, "t"));
  net.Settle();
  net.Ticks(3);

  EXPECT_TRUE(net.Applied(3, "t"));
  EXPECT_EQ(net.at(3).disk().state, net.at(1).disk().state);
}

// Whether the configuration is joint is kept beside the engine, which may learn it in this way too.
TEST(CheckpointProbe, BringsAJointConfiguration) {
  ProbeNet net({1, 2, 3, 4}, kThree);
  net.Elect(1);
  net.isolated = {3};
  ASSERT_TRUE(net.Change(1, {{.kind = ConfChangeKind::kAddVoter, .replica = ReplicaId{4}}},
                         ConfTransition::kExplicit));
  net.Settle();
  net.Ticks(6);
  ASSERT_TRUE(net.status(1).joint);
  ASSERT_FALSE(net.status(3).joint);

  LeaveBehind(net, 50);
  net.Ticks(12);

  EXPECT_GE(net.at(3).installs(), 1U);
  EXPECT_TRUE(net.status(3).joint);
}

TEST(CheckpointProbe, LostAndReportedIsSentAgain) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  LeaveBehind(net, 30);
  int lost = 0;
  net.drop = [&](const Envelope& envelope) { return envelope.message.is_snapshot && ++lost == 1; };

  net.Ticks(12);

  EXPECT_GE(lost, 2);
  EXPECT_EQ(net.at(3).disk().state, net.at(1).disk().state);
}

TEST(CheckpointProbe, LostAndNeverReportedLeavesThePeerInSnapshotStateForEver) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  LeaveBehind(net, 50);
  net.report_snapshots = false;
  int lost = 0;
  net.drop = [&](const Envelope& envelope) { return envelope.message.is_snapshot && ++lost > 0; };
  net.Ticks(12);
  ASSERT_EQ(lost, 1);

  net.drop = nullptr;  // The network is whole again, and nothing comes.
  net.Ticks(60);
  EXPECT_EQ(ProgressOf(net, 1, 3).state, ProgressState::kSnapshot);
  EXPECT_GT(ProgressOf(net, 1, 3).pending_snapshot, kBootstrapPosition.lsn);
  EXPECT_NE(net.at(3).disk().state, net.at(1).disk().state);

  ASSERT_TRUE(net.node(1).ReportSnapshot(ReplicaId{3}, /*failed=*/true));
  net.report_snapshots = true;
  net.Ticks(12);
  EXPECT_EQ(net.at(3).disk().state, net.at(1).disk().state) << "the report sets it free";
}

TEST(CheckpointProbe, FollowerMayAskForOne) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  net.Ticks(4);
  ASSERT_EQ(net.at(3).installs(), 0U);

  ASSERT_TRUE(net.node(3).RequestCheckpoint());
  net.Settle();
  net.Ticks(6);

  EXPECT_EQ(net.at(3).installs(), 1U);
  EXPECT_EQ(net.at(3).disk().state, net.at(1).disk().state);
}

}  // namespace
}  // namespace quorate::consensus::testing
