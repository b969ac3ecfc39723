// Directed probes: the order of calls, what a restart may find, and what the size limits count.
#include <gtest/gtest.h>

#include "consensus/testing/probe_net.h"

namespace quorate::consensus::testing {
namespace {

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

void Nowhere(Envelope) {
}

std::string AppendOf(std::uint64_t from, std::uint64_t to) {
  return WireMessage{.type = MessageType::kAppend,
                     .from = from,
                     .to = to,
                     .term = 1,
                     .log_term = 1,
                     .index = 5,
                     .entries = {Entry{Lsn{6}, Term{1}, EntryType::kNormal, ""}}}
      .Encode();
}

TEST(OrderProbe, RawEnginePanicsWhenAMessageOvertakesItsOnPersist) {
  ModelReplica replica(ReplicaId{1}, ModelDisk::Bootstrapped(kThree));
  replica.unsafe.pre_vote = false;
  ASSERT_TRUE(replica.Start());
  ASSERT_TRUE(replica.node().Step(AppendOf(2, 1)));
  replica.Pump(Nowhere);
  ASSERT_TRUE(replica.node().Campaign());
  replica.Pump(Nowhere);  // The vote request is out, OnPersist() was not called.

  const Status won = replica.node().Step(WireMessage{
      .type = MessageType::kRequestVoteResponse,
      .from = 2,
      .to = 1,
      .term = replica.status().term.value,
      .entries = {}}.Encode());

  ASSERT_FALSE(won);
  EXPECT_EQ(won.error().code(), Code::kCorruption);
  EXPECT_TRUE(replica.node().poisoned());
}

TEST(OrderProbe, SoleVoterWaitsForItsOwnSync) {
  ModelReplica replica(ReplicaId{2}, ModelDisk::Bootstrapped({ReplicaId{2}}));
  ASSERT_TRUE(replica.Start());
  ASSERT_TRUE(replica.node().Step(AppendOf(1, 2)));
  replica.Pump(Nowhere);

  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(replica.node().Tick());
  }
  EXPECT_EQ(replica.status().role, Role::kFollower);
  EXPECT_EQ(replica.node().Campaign().error().code(), Code::kUnavailable);

  replica.Sync(9, Nowhere);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(replica.node().Tick());
  }
  EXPECT_EQ(replica.status().role, Role::kLeader);
}

TEST(OrderProbe, RawEnginePanicsOnTimeoutNowAtASoleVoterWithUnsyncedEntries) {
  ModelReplica replica(ReplicaId{2}, ModelDisk::Bootstrapped({ReplicaId{2}}));
  ASSERT_TRUE(replica.Start());
  ASSERT_TRUE(replica.node().Step(AppendOf(1, 2)));
  replica.Pump(Nowhere);

  const WireMessage now{
      .type = MessageType::kTimeoutNow, .from = 1, .to = 2, .term = 1, .entries = {}};
  EXPECT_EQ(replica.node().Step(now.Encode()).error().code(), Code::kCorruption);
}

TEST(OrderProbe, AppliedMayNotLeaveItsRange) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  const NodeStatus status = net.status(1);
  ASSERT_EQ(status.applied, Lsn{7});

  EXPECT_EQ(net.node(1).AdvanceApplyTo(Lsn{8}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(net.node(1).AdvanceApplyTo(Lsn{6}).error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(net.node(1).AdvanceApplyTo(Lsn{7}));
  EXPECT_FALSE(net.node(1).poisoned());
  EXPECT_EQ(net.status(1).applied, Lsn{7});
}

TEST(OrderProbe, NothingMayComeBetweenTakeReadyAndAdvanceAppend) {
  ProbeNet net({1, 2, 3}, kThree);
  RawNode& node = net.node(1);
  EXPECT_EQ(node.TakeReady().error().code(), Code::kInvalidArgument) << "nothing is ready";
  EXPECT_EQ(node.AdvanceAppend().error().code(), Code::kInvalidArgument) << "nothing was taken";

  ASSERT_TRUE(node.Campaign());
  const auto ready = node.TakeReady();
  ASSERT_TRUE(ready);
  EXPECT_EQ(node.TakeReady().error().code(), Code::kInvalidArgument);
  EXPECT_EQ(node.OnPersist(ready->number).error().code(), Code::kInvalidArgument);

  EXPECT_TRUE(node.AdvanceAppend());
  EXPECT_TRUE(node.OnPersist(ready->number));
}

TEST(OrderProbe, MessagesForOthersAndOfLocalKindsAreRefused) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  const std::uint64_t term = net.status(1).term.value;
  const auto step = [&](MessageType type, std::uint64_t from, std::uint64_t to) {
    const WireMessage message{.type = type, .from = from, .to = to, .term = term, .entries = {}};
    const Status stepped = net.node(1).Step(message.Encode());
    return stepped ? "ok" : std::string(CodeName(stepped.error().code()));
  };
  EXPECT_EQ(step(MessageType::kHeartbeatResponse, 2, 1), "ok");
  EXPECT_EQ(step(MessageType::kHeartbeatResponse, 2, 3), "invalid_argument") << "not for us";
  EXPECT_EQ(step(MessageType::kHeartbeatResponse, 0, 1), "invalid_argument") << "from nobody";
  EXPECT_EQ(step(MessageType::kHeartbeatResponse, 1, 1), "invalid_argument") << "from ourselves";
  EXPECT_EQ(step(MessageType::kHup, 2, 1), "invalid_argument");
  EXPECT_EQ(step(MessageType::kBeat, 2, 1), "invalid_argument");
  EXPECT_EQ(step(MessageType::kPropose, 2, 1), "invalid_argument");
  EXPECT_EQ(step(MessageType::kHeartbeatResponse, 9, 1), "not_found") << "not a member";
}

// --- What a restart may find ---

ModelDisk FourEntries() {
  ModelDisk disk = ModelDisk::Bootstrapped({ReplicaId{1}});
  for (std::uint64_t lsn = 6; lsn < 10; ++lsn) {
    disk.Append(Entry{Lsn{lsn}, Term{1}, EntryType::kNormal, "x"});
  }
  return disk;
}

TEST(RestartProbe, LaggingCommitIsRaisedToApplied) {
  ModelDisk disk = FourEntries();
  disk.applied = Lsn{8};
  ModelReplica replica(ReplicaId{1}, disk);
  ASSERT_TRUE(replica.Start()) << replica.why();
  EXPECT_EQ(replica.status().commit, Lsn{8});
}

TEST(RestartProbe, AppliedBeyondTheLogIsRefused) {
  ModelDisk disk = FourEntries();
  disk.applied = Lsn{12};
  ModelReplica replica(ReplicaId{1}, disk);
  EXPECT_FALSE(replica.Start());
  EXPECT_NE(replica.why().find("out of range"), std::string::npos) << replica.why();
}

TEST(RestartProbe, CommitBeyondTheLogIsRefused) {
  ModelDisk disk = FourEntries();
  disk.hard_state.commit = Lsn{20};
  ModelReplica replica(ReplicaId{1}, disk);
  EXPECT_FALSE(replica.Start());
  EXPECT_NE(replica.why().find("out of range"), std::string::npos) << replica.why();
}

// --- Sizes ---

TEST(SizeProbe, UncommittedBytesAreBounded) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) {
    r.options.uncommitted_bytes_max = 5000;
    r.options.message_bytes_max = 1000;
  });
  net.Elect(1);
  net.isolated = {1};
  int accepted = 0;
  while (accepted < 100 && net.Propose(1, std::string(1000, 'x'))) {
    ++accepted;
  }
  EXPECT_EQ(accepted, 5);
  EXPECT_EQ(net.status(1).uncommitted_bytes, 5000U);
  EXPECT_EQ(net.Propose(1, "y").error().code(), Code::kUnavailable);
  EXPECT_FALSE(net.node(1).poisoned());
}

TEST(SizeProbe, OneEntryIsAlwaysLetIn) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) { r.options.uncommitted_bytes_max = 5000; });
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, std::string(100'000, 'x')));
  net.Settle();
  net.Ticks(3);
  EXPECT_TRUE(net.Applied(3, std::string(100'000, 'x')));
}

TEST(SizeProbe, AppendsAreCutAtMessageBytesMax) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) { r.options.message_bytes_max = 1000; });
  net.Elect(1);
  std::vector<std::string> data(10, std::string(300, 'x'));
  const std::vector<std::string_view> payloads(data.begin(), data.end());
  ASSERT_TRUE(net.node(1).Propose(payloads));
  net.at(1).Pump([](const Envelope& envelope) {
    EXPECT_LE(envelope.message.entry_count, 3U);
    EXPECT_LE(envelope.message.bytes.size(), 1100U);
  });
}

}  // namespace
}  // namespace quorate::consensus::testing
