// Directed probes: configuration changes, and leaders that are removed.
#include <gtest/gtest.h>

#include "consensus/testing/probe_net.h"

namespace quorate::consensus::testing {
namespace {

const std::vector<ReplicaId> kThree = {ReplicaId{1}, ReplicaId{2}, ReplicaId{3}};

Code CodeOf(const Result<Position>& result) {
  return result ? Code::kInternal : result.error().code();
}

// Founded by 1, 2, 3; 4 and 5 are new and became learners.
void JoinLearners(ProbeNet& net) {
  net.Elect(1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(net.Propose(1, "a" + std::to_string(i)));
  }
  net.Settle();
  ASSERT_TRUE(net.Change(1, {AddLearner(4), AddLearner(5)}));
  EXPECT_EQ(CodeOf(net.Change(1, {AddVoter(4)})), Code::kConflict) << "one change at a time";
  net.Settle();
  net.Ticks(6);
}

TEST(MembershipProbe, NewLearnersCatchUpByCheckpointAndJointEndsByItself) {
  ProbeNet net({1, 2, 3, 4, 5}, kThree);
  JoinLearners(net);

  EXPECT_FALSE(net.at(1).disk().state.empty());
  EXPECT_EQ(net.at(4).disk().state, net.at(1).disk().state);
  EXPECT_EQ(net.at(4).installs(), 1U);
  EXPECT_FALSE(net.status(1).joint);
  EXPECT_EQ(net.at(4).disk().conf_state.ToString(), "voters=(1 2 3) learners=(4 5)");
}

TEST(MembershipProbe, OldLeaderIsReplacedInOneStepAfterHandingOver) {
  ProbeNet net({1, 2, 3, 4, 5}, kThree);
  JoinLearners(net);
  const std::vector<ConfChange::Single> replace = {AddVoter(4), AddVoter(5), Remove(1)};
  EXPECT_EQ(CodeOf(net.Change(1, replace)), Code::kConflict) << "the leader would remove itself";
  EXPECT_EQ(CodeOf(net.Change(1, {AddLearner(1)})), Code::kConflict) << "or demote itself";

  ASSERT_TRUE(net.node(1).TransferLeader(ReplicaId{2}));
  EXPECT_EQ(CodeOf(net.Propose(1, "x")), Code::kUnavailable);
  net.Settle();
  ASSERT_EQ(net.status(2).role, Role::kLeader);
  ASSERT_TRUE(net.Change(2, replace));
  net.Settle();
  net.Ticks(4);

  EXPECT_EQ(net.at(2).disk().conf_state.ToString(), "voters=(2 3 4 5) learners=()");
  ASSERT_TRUE(net.Propose(2, "after"));
  net.Settle();
  EXPECT_TRUE(net.Applied(5, "after"));
  const Term term = net.status(2).term;
  net.Ticks(60);
  EXPECT_EQ(net.status(2).term, term) << "the removed replica must not disturb";
  EXPECT_EQ(net.status(2).role, Role::kLeader);
}

TEST(MembershipProbe, RawEnginePanicsWhenALeaderRemovesItselfWithEntriesInFlight) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) { r.unsafe.allow_remove_leader = true; });
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  const auto removal = net.Change(1, {Remove(1)});
  ASSERT_TRUE(removal);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(net.Propose(1, "b"));
  }
  net.drop = [&](const Envelope& envelope) {
    return envelope.message.Is(MessageType::kAppendResponse) && envelope.message.lsn > removal->lsn;
  };
  net.Settle();
  ASSERT_EQ(net.status(1).applied, removal->lsn) << "applied while later entries are not committed";
  ASSERT_FALSE(net.at(1).disk().conf_state.Contains(ReplicaId{1}));

  net.drop = nullptr;
  net.Ticks(6);

  EXPECT_TRUE(net.at(1).fenced());
  EXPECT_NE(net.at(1).why().find("panic"), std::string::npos) << net.at(1).why();
  EXPECT_TRUE(net.at(2).up());
  EXPECT_TRUE(net.at(3).up());
}

TEST(MembershipProbe, RawEngineRemovedLeaderBlocksElectionsForEver) {
  ProbeNet net({1, 2, 3}, kThree, [](ModelReplica& r) { r.unsafe.allow_remove_leader = true; });
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  ASSERT_TRUE(net.Change(1, {Remove(1)}));
  net.Settle();

  net.Ticks(40);

  EXPECT_EQ(net.status(1).role, Role::kLeader) << "of a group that it left";
  EXPECT_EQ(net.status(2).leader, ReplicaId{1});
  EXPECT_NE(net.status(2).role, Role::kLeader);
  EXPECT_FALSE(net.Propose(1, "z"));
}

// 1 proposes to remove 2, and 2 becomes leader before that is applied: nobody removed itself.
TEST(MembershipProbe, LeaderRemovedByItsPredecessorsChangeStepsDown) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  net.drop = [](const Envelope& envelope) {
    return envelope.message.Is(MessageType::kAppendResponse) && envelope.message.to == ReplicaId{1};
  };
  ASSERT_TRUE(net.Change(1, {Remove(2)}));
  net.Settle(4);
  ASSERT_TRUE(net.node(2).Step(WireMessage{
      .type = MessageType::kTimeoutNow,
      .from = 1,
      .to = 2,
      .term = net.status(2).term.value,
      .entries = {}}.Encode()));
  const Term before = net.status(1).term;
  net.drop = nullptr;
  net.Settle();

  EXPECT_GT(net.status(3).term, before) << "2 did lead for a moment";
  EXPECT_TRUE(net.at(2).up());
  EXPECT_NE(net.status(2).role, Role::kLeader);
  EXPECT_EQ(net.at(2).disk().conf_state.ToString(), "voters=(1 3) learners=()");

  net.Ticks(60);
  const std::uint64_t leader = net.Leader();
  ASSERT_TRUE(leader == 1 || leader == 3) << leader;
  ASSERT_TRUE(net.Propose(leader, "b"));
  net.Settle();
  EXPECT_TRUE(net.Applied(leader, "b"));
}

TEST(MembershipProbe, ExplicitJointStaysUntilAnEmptyChange) {
  ProbeNet net({1, 2, 3, 4}, kThree);
  net.Elect(1);
  EXPECT_EQ(CodeOf(net.Change(1, {})), Code::kConflict) << "nothing to leave";
  ASSERT_TRUE(net.Change(1, {AddVoter(4)}, ConfTransition::kExplicit));
  net.Settle();
  net.Ticks(6);
  ASSERT_TRUE(net.status(1).joint);
  EXPECT_EQ(CodeOf(net.Change(1, {AddLearner(4)})), Code::kConflict) << "leave first";

  ASSERT_TRUE(net.Change(1, {}));
  net.Settle();
  net.Ticks(3);

  EXPECT_FALSE(net.status(1).joint);
  EXPECT_EQ(net.at(4).disk().conf_state.ToString(), "voters=(1 2 3 4) learners=()");
}

TEST(MembershipProbe, EntryThatEndsJointByItselfHasNoData) {
  ProbeNet net({1, 2, 3, 4, 5}, kThree);
  std::vector<Entry> changes;
  net.at(2).on_apply = [&](const ModelReplica&, const Entry& entry) {
    if (entry.type != EntryType::kNormal) {
      changes.push_back(entry);
    }
  };
  net.Elect(1);
  ASSERT_TRUE(net.Change(1, {AddLearner(4), AddLearner(5)}));
  net.Settle();
  net.Ticks(6);

  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].type, EntryType::kConfChangeV2);
  const auto change = ConfChange::Decode(changes[0].data);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->changes, (std::vector{AddLearner(4), AddLearner(5)}));
  EXPECT_EQ(change->context, "why");
  EXPECT_EQ(changes[1].type, EntryType::kConfChangeV2);
  EXPECT_EQ(changes[1].data, "");
}

TEST(MembershipProbe, RemovingSomebodyUnknownChangesNothing) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);

  ASSERT_TRUE(net.Change(1, {Remove(9)}));
  net.Settle();
  net.Ticks(6);

  EXPECT_EQ(net.at(2).disk().conf_state.ToString(), "voters=(1 2 3) learners=()");
  EXPECT_FALSE(net.status(1).joint);
  ASSERT_TRUE(net.Propose(1, "after"));
  net.Settle();
  EXPECT_TRUE(net.Applied(3, "after"));
}

TEST(MembershipProbe, ChangeThatDoesNotFitLeavesTheConfigurationAsItWas) {
  ProbeNet net({1, 2, 3}, kThree);
  const std::string joint = ConfChange{ConfTransition::kExplicit, {AddVoter(4)}, ""}.Encode();
  const auto entered = net.node(1).ApplyConfChange(EntryType::kConfChangeV2, joint);
  ASSERT_TRUE(entered);
  EXPECT_EQ(entered->ToString(), "voters=(1 2 3 4) outgoing=(1 2 3) learners=()");

  const auto again = net.node(1).ApplyConfChange(EntryType::kConfChangeV2, joint);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kConflict);
  EXPECT_FALSE(net.node(1).poisoned());

  const auto left = net.node(1).ApplyConfChange(EntryType::kConfChangeV2, "");
  ASSERT_TRUE(left);
  EXPECT_EQ(left->ToString(), "voters=(1 2 3 4) learners=()");
}

TEST(MembershipProbe, TransferToAnUnreachableReplicaEndsAfterOneElectionTimeout) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  net.isolated = {3};
  ASSERT_TRUE(net.Propose(1, "a"));
  net.Settle();
  ASSERT_TRUE(net.node(1).TransferLeader(ReplicaId{3}));
  EXPECT_EQ(net.status(1).transferee, ReplicaId{3});
  EXPECT_EQ(CodeOf(net.Propose(1, "b")), Code::kUnavailable);

  net.Ticks(11);

  EXPECT_TRUE(net.Propose(1, "c"));
  EXPECT_EQ(net.node(2).TransferLeader(ReplicaId{3}).error().code(), Code::kNotLeader);
  EXPECT_EQ(net.node(1).TransferLeader(ReplicaId{9}).error().code(), Code::kUnavailable);
}

TEST(MembershipProbe, ProposalsAreNeverForwarded) {
  ProbeNet net({1, 2, 3}, kThree);
  net.Elect(1);
  EXPECT_EQ(CodeOf(net.Propose(2, "d")), Code::kNotLeader);
  EXPECT_EQ(net.status(2).leader, ReplicaId{1}) << "the hint";

  const WireMessage forwarded{.type = MessageType::kPropose,
                              .from = 2,
                              .to = 1,
                              .entries = {Entry{Lsn{0}, Term{0}, EntryType::kNormal, "f"}}};
  EXPECT_EQ(net.node(1).Step(forwarded.Encode()).error().code(), Code::kInvalidArgument);
  net.Settle();
  EXPECT_FALSE(net.Applied(1, "f"));
}

}  // namespace
}  // namespace quorate::consensus::testing
