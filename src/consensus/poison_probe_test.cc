// Directed probes: whatever goes wrong inside the engine fences one replica and nothing else.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "consensus/testing/probe_net.h"

namespace quorate::consensus::testing {
namespace {

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

struct Fault {
  StorageFault fault;
  const char* name;
};

class StorageFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(StorageFaultTest, FencesTheLeaderWhileTheOthersGoOn) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(net.Propose(1, "a"));
  }
  net.Settle();

  net.at(1).storage.fault = GetParam().fault;
  (void)net.Propose(1, "b");
  net.Settle(3);
  net.Ticks(3);
  ASSERT_TRUE(net.at(1).fenced());
  EXPECT_TRUE(net.node(1).poisoned());
  EXPECT_FALSE(net.node(1).poison_reason().empty());
  EXPECT_EQ(net.node(1).Tick().error().code(), Code::kCorruption) << "it stays fenced";
  EXPECT_FALSE(net.node(1).HasReady());

  net.Ticks(40);
  const std::uint64_t leader = net.Leader();
  ASSERT_TRUE(leader == 2 || leader == 3) << leader;
  ASSERT_TRUE(net.Propose(leader, "c"));
  net.Settle();

  net.at(1).storage.fault = StorageFault::kNone;
  ASSERT_TRUE(net.at(1).Start()) << net.at(1).why();
  net.Ticks(5);
  EXPECT_TRUE(net.Applied(1, "c"));
  EXPECT_EQ(net.at(1).disk().state, net.at(leader).disk().state);
}

INSTANTIATE_TEST_SUITE_P(Answers, StorageFaultTest,
                         ::testing::Values(Fault{StorageFault::kEntriesFail, "EntriesFail"},
                                           Fault{StorageFault::kEntriesEmpty, "EntriesEmpty"},
                                           Fault{StorageFault::kEntriesWrongLsn, "EntriesWrongLsn"},
                                           Fault{StorageFault::kEntriesTermZero, "EntriesTermZero"},
                                           Fault{StorageFault::kEntriesThrow, "EntriesThrow"},
                                           Fault{StorageFault::kTermFails, "TermFails"},
                                           Fault{StorageFault::kFirstIndexFails, "FirstIndexFails"},
                                           Fault{StorageFault::kLastIndexFails, "LastIndexFails"}),
                         [](const auto& fault) { return fault.param.name; });

TEST(PoisonProbe, ReasonNamesWhatTheStorageSaid) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  net.at(1).storage.fault = StorageFault::kEntriesThrow;
  (void)net.Propose(1, "b");
  net.Settle(3);
  ASSERT_TRUE(net.at(1).fenced());
  EXPECT_NE(net.at(1).why().find("thrown by the storage"), std::string::npos) << net.at(1).why();
}

TEST(PoisonProbe, OpenFailsOnAStorageThatFails) {
  for (const StorageFault fault : {StorageFault::kInitialStateFails, StorageFault::kFirstIndexFails,
                                   StorageFault::kLastIndexFails}) {
    ModelReplica replica(ReplicaId{1}, ModelDisk::Bootstrapped(kThree));
    replica.storage.fault = fault;
    EXPECT_FALSE(replica.Start());
    EXPECT_TRUE(replica.fenced()) << replica.why();
    replica.storage.fault = StorageFault::kNone;
    EXPECT_TRUE(replica.Start()) << replica.why();
  }
}

TEST(PoisonProbe, FailingCheckpointFencesTheLeader) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  net.isolated = {3};
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(net.Propose(1, "s"));
    net.Settle(2);
  }
  net.at(1).Compact(2);
  net.at(1).storage.fault = StorageFault::kCheckpointFails;
  net.isolated.clear();
  net.Ticks(6);
  EXPECT_TRUE(net.at(1).fenced());
  EXPECT_TRUE(net.at(2).up());
  EXPECT_TRUE(net.at(3).up());
}

TEST(PoisonProbe, PanicFencesOneReplicaAndASecondOneAfterReopenToo) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  const Status panicked = net.node(2).PanicForTest();
  ASSERT_FALSE(panicked);
  EXPECT_EQ(panicked.error().code(), Code::kCorruption);
  EXPECT_NE(panicked.error().message().find("injected"), std::string::npos);
  EXPECT_NE(panicked.error().message().find(".rs:"), std::string::npos) << "says where";
  EXPECT_FALSE(net.at(2).Alive(panicked));

  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  EXPECT_TRUE(net.Applied(1, "a")) << "neighbours of the same thread go on";

  ASSERT_TRUE(net.at(2).Start());
  net.Ticks(5);
  EXPECT_TRUE(net.Applied(2, "a"));
  EXPECT_FALSE(net.at(2).Alive(net.node(2).PanicForTest()));
  EXPECT_EQ(net.node(2).Campaign().error().code(), Code::kCorruption);
}

TEST(PoisonProbe, EveryCallOfAFencedReplicaFails) {
  ProbeNet net({1}, {ReplicaId{1}});
  net.Elect(1);
  RawNode& node = net.node(1);
  (void)node.PanicForTest();
  const std::string_view payload = "x";
  EXPECT_EQ(node.Tick().error().code(), Code::kCorruption);
  EXPECT_EQ(node.Step("").error().code(), Code::kCorruption);
  EXPECT_EQ(node.Propose(std::span(&payload, 1)).error().code(), Code::kCorruption);
  EXPECT_EQ(node.ProposeConfChange({}).error().code(), Code::kCorruption);
  EXPECT_EQ(node.ApplyConfChange(EntryType::kConfChangeV2, "").error().code(), Code::kCorruption);
  EXPECT_EQ(node.ReadIndex("r").error().code(), Code::kCorruption);
  EXPECT_EQ(node.TransferLeader(ReplicaId{2}).error().code(), Code::kCorruption);
  EXPECT_EQ(node.ReportUnreachable(ReplicaId{2}).error().code(), Code::kCorruption);
  EXPECT_EQ(node.ReportSnapshot(ReplicaId{2}, true).error().code(), Code::kCorruption);
  EXPECT_EQ(node.RequestCheckpoint().error().code(), Code::kCorruption);
  EXPECT_EQ(node.Ping().error().code(), Code::kCorruption);
  EXPECT_EQ(node.TrimMemory().error().code(), Code::kCorruption);
  EXPECT_EQ(node.TakeReady().error().code(), Code::kCorruption);
  EXPECT_EQ(node.AdvanceAppend().error().code(), Code::kCorruption);
  EXPECT_EQ(node.OnPersist(1).error().code(), Code::kCorruption);
  EXPECT_EQ(node.AdvanceApplyTo(Lsn{5}).error().code(), Code::kCorruption);
  EXPECT_EQ(node.Progress().error().code(), Code::kCorruption);
  EXPECT_EQ(node.status().id, ReplicaId{0});
}

// A peer lies, or our disk lost what it had synced: this is the fence that is wanted.
TEST(PoisonProbe, HeartbeatWithACommitBeyondTheLogFences) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  const WireMessage heartbeat{.type = MessageType::kHeartbeat,
                              .from = 1,
                              .to = 3,
                              .term = net.status(1).term.value,
                              .commit = 1000,
                              .entries = {}};
  EXPECT_EQ(net.node(3).Step(heartbeat.Encode()).error().code(), Code::kCorruption);
}

TEST(PoisonProbe, BytesThatAreNoMessageAreRefused) {
  ProbeNet net({1, 2, 3}, kThree);
  EXPECT_EQ(net.node(1).Step("\xff\xff\xff").error().code(), Code::kInvalidArgument);
  std::string nested;
  for (int i = 0; i < 1'000'000; ++i) {
    nested += "\xa3\x01";
  }
  EXPECT_EQ(net.node(1).Step(nested).error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(net.node(1).poisoned());
}

TEST(PoisonProbe, MutatedMessagesFuzz) {
  const std::string good =
      WireMessage{.type = MessageType::kAppend,
                  .from = 2,
                  .to = 1,
                  .term = 2,
                  .log_term = 1,
                  .index = 5,
                  .entries = {Entry{Lsn{6}, Term{2}, EntryType::kNormal, "abcdef"}}}
          .Encode();
  Prng prng(5);
  ModelReplica replica(ReplicaId{1}, ModelDisk::Bootstrapped(kThree));
  int fenced = 0;
  int accepted = 0;
  const auto nowhere = [](Envelope) {};
  for (int i = 0; i < 50'000; ++i) {
    if (replica.fenced() || i % 500 == 0) {
      replica.durable() = ModelDisk::Bootstrapped(kThree);
      ASSERT_TRUE(replica.Start());
    }
    std::string bytes = good;
    for (std::uint64_t k = 1 + prng.Below(3); k > 0; --k) {
      bytes[prng.Below(bytes.size())] = static_cast<char>(prng.Next());
    }
    const Status stepped = replica.node().Step(bytes);
    accepted += stepped ? 1 : 0;
    replica.Alive(stepped);
    replica.Pump(nowhere);
    replica.Sync(9, nowhere);
    replica.Apply(9);
    fenced += replica.fenced() ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(fenced, 0) << "or this reaches nothing";
}

}  // namespace
}  // namespace quorate::consensus::testing
