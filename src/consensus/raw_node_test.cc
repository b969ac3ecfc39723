#include "consensus/raw_node.h"

#include <gtest/gtest.h>

#include "consensus/testing/probe_net.h"

namespace quorate::consensus {
namespace {

using testing::ProbeNet;

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

TEST(RawNodeTest, ThreeReplicasElectALeaderAndApplyTheSameEntries) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);

  ASSERT_EQ(net.status(1).role, Role::kLeader);
  const auto first = net.Propose(1, "a");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->lsn, Lsn{7}) << "6 is the new leader's empty entry";
  EXPECT_EQ(first->term, net.status(1).term);
  net.Settle();
  net.Ticks(3);  // Followers learn the commit with the next heartbeat.

  for (const std::uint64_t id : {1U, 2U, 3U}) {
    EXPECT_EQ(net.at(id).disk().state, "a;") << id;
    EXPECT_EQ(net.status(id).commit, Lsn{7}) << id;
    EXPECT_EQ(net.status(id).leader, ReplicaId{1}) << id;
  }
}

TEST(RawNodeTest, PayloadsOfOneCallAreNextToEachOther) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  const std::vector<std::string_view> payloads = {"a", "b", "c"};

  const auto first = net.node(1).Propose(payloads);
  const auto next = net.Propose(1, "d");
  net.Settle();

  ASSERT_TRUE(first);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->lsn.value, first->lsn.value + 3);
  EXPECT_EQ(net.at(1).disk().state, "a;b;c;d;");
}

TEST(RawNodeTest, TicksAloneElectALeader) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Ticks(40);
  EXPECT_NE(net.Leader(), 0U);
}

TEST(RawNodeTest, SoleVoterIsLeaderAtOnce) {
  ProbeNet net({1}, {ReplicaId{1}});
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle(3);
  EXPECT_EQ(net.at(1).disk().state, "a;");
}

TEST(RawNodeTest, ReadyOutlivesTheNode) {
  ProbeNet net({1}, {ReplicaId{1}});
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "payload that lives in the engine"));
  ASSERT_TRUE(net.node(1).HasReady());
  auto ready = net.node(1).TakeReady();
  ASSERT_TRUE(ready);

  net.at(1).Crash(0);

  ASSERT_EQ(ready->entries.size(), 1U);
  EXPECT_EQ(ready->entries[0].data, "payload that lives in the engine");
}

TEST(RawNodeTest, OptionsThatContradictEachOtherAreRefused) {
  testing::ModelDisk disk = testing::ModelDisk::Bootstrapped(kThree);
  testing::ModelStorage storage(disk);
  RawNodeOptions options = testing::TestOptions(ReplicaId{1});
  options.applied = disk.applied;

  options.election_ticks = options.heartbeat_ticks;
  EXPECT_EQ(RawNode::Open(options, storage, {}).error().code(), Code::kInvalidArgument);

  options = testing::TestOptions(ReplicaId{0});
  EXPECT_EQ(RawNode::Open(options, storage, {}).error().code(), Code::kInvalidArgument);

  options = testing::TestOptions(ReplicaId{1});
  options.uncommitted_bytes_max = options.message_bytes_max - 1;
  EXPECT_EQ(RawNode::Open(options, storage, {}).error().code(), Code::kInvalidArgument);
}

TEST(RawNodeTest, TheEnginesNotesReachTheSink) {
  testing::ModelDisk disk = testing::ModelDisk::Bootstrapped(kThree);
  testing::ModelStorage storage(disk);
  RawNodeOptions options = testing::TestOptions(ReplicaId{1});
  options.applied = disk.applied;
  std::string notes;

  auto node = RawNode::Open(options, storage, [&](LogLevel level, std::string_view text) {
    EXPECT_LE(level, LogLevel::kInfo);
    notes.append(text).append("\n");
  });

  ASSERT_TRUE(node);
  EXPECT_NE(notes.find("became follower"), std::string::npos) << notes;
}

}  // namespace
}  // namespace quorate::consensus
