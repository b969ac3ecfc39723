// Directed probes: ReadIndex, and the two ways to get a stale answer out of it.
#include <gtest/gtest.h>

#include "consensus/testing/probe_net.h"

namespace quorate::consensus::testing {
namespace {

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

TEST(ReadProbe, PartitionedLeaderDoesNotAnswerAndIsReplaced) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "v1"));
  net.Settle();
  net.isolated = {1};
  ASSERT_TRUE(net.node(1).ReadIndex("r1"));
  net.Settle();
  EXPECT_TRUE(net.at(1).reads.empty());

  net.Ticks(25);
  const std::uint64_t leader = net.Leader();
  ASSERT_TRUE(leader == 2 || leader == 3) << leader;
  EXPECT_NE(net.status(1).role, Role::kLeader) << "CheckQuorum makes it step down";
  ASSERT_TRUE(net.Propose(leader, "v2"));
  net.Settle();
  net.isolated.clear();
  net.Ticks(4);
  EXPECT_TRUE(net.at(1).reads.empty()) << "never answered: the host must time out";

  ASSERT_TRUE(net.node(1).ReadIndex("r2"));
  net.Settle();
  ASSERT_EQ(net.at(1).reads.size(), 1U) << "a follower reads through the leader";
  EXPECT_EQ(net.at(1).reads[0].context, "r2");
  EXPECT_GE(net.at(1).reads[0].lsn, net.status(leader).commit);
}

TEST(ReadProbe, RefusedWithoutALeaderAndBeforeTheTermsFirstCommit) {
  ProbeNet net({1, 2, 3}, kThree);
  EXPECT_EQ(net.node(1).ReadIndex("r1").error().code(), Code::kNotLeader);

  net.drop = [](const Envelope& envelope) {
    return envelope.message.Is(MessageType::kAppendResponse);
  };
  net.Elect(1);
  ASSERT_EQ(net.status(1).role, Role::kLeader);
  EXPECT_EQ(net.node(1).ReadIndex("r2").error().code(), Code::kUnavailable);
}

TEST(ReadProbe, RawEngineAnswersARepeatedContextWithTheOldLsn) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "v1"));
  net.Settle();
  net.drop = [](const Envelope& envelope) {
    return envelope.message.Is(MessageType::kHeartbeatResponse);
  };
  ASSERT_TRUE(net.node(1).ReadIndex("k"));
  net.Settle(3);
  ASSERT_TRUE(net.Propose(1, "v2"));
  net.Settle();
  const Lsn commit = net.status(1).commit;
  ASSERT_TRUE(net.Applied(1, "v2"));

  net.drop = nullptr;
  ASSERT_TRUE(net.node(1).ReadIndex("k"));
  net.Settle();

  ASSERT_FALSE(net.at(1).reads.empty());
  EXPECT_LT(net.at(1).reads[0].lsn, commit) << "stale, hence: contexts are unique for ever";
}

TEST(ReadProbe, RawEngineLeaseReadIsStaleWhenTicksStall) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) { r.unsafe.lease_read = true; });
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "v1"));
  net.Settle();
  net.isolated = {1};
  for (int i = 0; i < 60 && net.Leader() == 1; ++i) {
    for (const std::uint64_t id : {2U, 3U}) {
      ASSERT_TRUE(net.node(id).Tick());
    }
    net.Settle(4);
  }
  const std::uint64_t leader = net.Leader();
  ASSERT_NE(leader, 1U);
  ASSERT_TRUE(net.Propose(leader, "v2"));
  net.Settle();

  ASSERT_TRUE(net.node(1).ReadIndex("x"));
  net.Settle(2);

  ASSERT_FALSE(net.at(1).reads.empty());
  EXPECT_LT(net.at(1).reads[0].lsn, net.status(leader).commit) << "stale, hence: no lease reads";
}

TEST(ReadProbe, SafeReadIsNotStaleWhenTicksStall) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "v1"));
  net.Settle();
  net.isolated = {1};
  ASSERT_TRUE(net.node(1).ReadIndex("x"));
  net.Settle();
  EXPECT_TRUE(net.at(1).reads.empty());
}

}  // namespace
}  // namespace quorate::consensus::testing
