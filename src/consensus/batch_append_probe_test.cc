// Directed probe: the engine's batch_append makes a follower acknowledge entries that it does not
// have, and an acknowledged proposal is lost. It must stay off.
#include <gtest/gtest.h>

#include "consensus/testing/probe_net.h"

namespace quorate::consensus::testing {
namespace {

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

// Replica 2 stores three entries but its answers are late; then, between two readies of the
// leader, an empty append to 2 is queued, 2 is reported unreachable (so its next index goes back),
// and a heartbeat answer makes the leader resend. Returns what the leader believes 2 has.
Lsn ProvokeResendIntoEmptyAppend(ProbeNet& net) {
  net.Elect(1);
  EXPECT_TRUE(net.Propose(1, "a"));
  net.Settle();
  net.drop = [](const Envelope& envelope) {
    return envelope.from == ReplicaId{2} && envelope.message.Is(MessageType::kAppendResponse);
  };
  for (const char* data : {"b", "c", "d"}) {
    EXPECT_TRUE(net.Propose(1, data));
    net.Settle(6);
  }
  net.isolated = {3};
  const std::string alive = WireMessage{
      .type = MessageType::kHeartbeatResponse,
      .from = 2,
      .to = 1,
      .term = net.status(1).term.value,
      .commit = net.status(2).commit.value,
      .entries = {}}.Encode();
  RawNode& leader = net.node(1);
  EXPECT_TRUE(leader.Step(alive));
  EXPECT_TRUE(leader.ReportUnreachable(ReplicaId{2}));
  EXPECT_TRUE(leader.Step(alive));
  net.drop = nullptr;
  net.Settle(6);
  return leader.Progress()->at(1).matched;
}

TEST(BatchAppendProbe, RawEngineLosesAnAcknowledgedProposal) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) {
    r.unsafe.batch_append = true;
    r.unsafe.check_quorum = false;
  });
  const Lsn believed = ProvokeResendIntoEmptyAppend(net);
  EXPECT_GT(believed, net.status(1).last) << "2 acknowledged what does not even exist";

  net.isolated = {2, 3};
  const auto lost = net.Propose(1, "LOST");
  ASSERT_TRUE(lost);
  net.Settle(6);
  EXPECT_GE(net.status(1).commit, lost->lsn) << "committed by a leader cut off from everybody";
  EXPECT_TRUE(net.Applied(1, "LOST"));

  net.at(1).Crash(0);
  net.isolated.clear();
  net.Ticks(40);
  const std::uint64_t leader = net.Leader();
  ASSERT_TRUE(leader == 2 || leader == 3) << leader;
  EXPECT_FALSE(net.Applied(leader, "LOST"));
}

TEST(BatchAppendProbe, WithoutItTheSameMessagesAreHarmless) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) { r.unsafe.check_quorum = false; });
  const Lsn believed = ProvokeResendIntoEmptyAppend(net);
  EXPECT_LE(believed, net.status(2).last);

  net.isolated = {2, 3};
  const auto kept = net.Propose(1, "KEPT");
  ASSERT_TRUE(kept);
  net.Settle(6);
  EXPECT_LT(net.status(1).commit, kept->lsn);
}

}  // namespace
}  // namespace quorate::consensus::testing
