#include "consensus/conf_state.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "consensus/message.h"

namespace quorate::consensus {
namespace {

std::vector<ReplicaId> Ids(std::initializer_list<std::uint64_t> values) {
  std::vector<ReplicaId> ids;
  for (const std::uint64_t value : values) {
    ids.push_back(ReplicaId{value});
  }
  return ids;
}

const ConfState kJoint{Ids({1, 300}), Ids({4}), Ids({1, 2, 3}), Ids({5}), true};

TEST(ConfStateTest, EncodingIsThatOfEraftpb) {
  EXPECT_EQ(HexEncode(kJoint.Encode()),
            "080108ac021004180118021803200528"
            "01");
  const auto decoded = ConfState::Decode(kJoint.Encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, kJoint);
}

TEST(ConfStateTest, PackedListsAreReadToo) {
  const auto decoded = ConfState::Decode(*HexDecode("0a0301ac02"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->voters, Ids({1, 300}));
}

TEST(ConfStateTest, EmptyIsEmpty) {
  EXPECT_EQ(ConfState{}.Encode(), "");
  EXPECT_EQ(*ConfState::Decode(""), ConfState{});
}

TEST(ConfStateTest, EveryTruncationIsRefusedOrShorter) {
  const std::string bytes = kJoint.Encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = ConfState::Decode(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(!decoded || *decoded != kJoint) << size;
  }
  EXPECT_EQ(ConfState::Decode("\x08").error().code(), Code::kCorruption);
  EXPECT_EQ(ConfState::Decode("\x0a\x05\x01").error().code(), Code::kCorruption);
  EXPECT_EQ(ConfState::Decode("\xff\xff\xff").error().code(), Code::kCorruption);
}

TEST(ConfStateTest, Membership) {
  EXPECT_TRUE(kJoint.joint());
  EXPECT_TRUE(kJoint.IsVoter(ReplicaId{2})) << "in the outgoing half";
  EXPECT_FALSE(kJoint.IsVoter(ReplicaId{4}));
  EXPECT_TRUE(kJoint.Contains(ReplicaId{4}));
  EXPECT_TRUE(kJoint.Contains(ReplicaId{5}));
  EXPECT_FALSE(kJoint.Contains(ReplicaId{9}));
}

TEST(ConfChangeTest, RoundTrip) {
  const ConfChange change{ConfTransition::kExplicit,
                          {{ConfChangeKind::kRemove, ReplicaId{7}},
                           {ConfChangeKind::kAddVoter, ReplicaId{8}},
                           {ConfChangeKind::kAddLearner, ReplicaId{9}}},
                          "why"};
  EXPECT_EQ(HexEncode(change.Encode()),
            "080212040801100712021008120408021009"
            "1a03776879");
  const auto decoded = ConfChange::Decode(change.Encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, change);
  EXPECT_EQ(*ConfChange::Decode(""), ConfChange{});
  EXPECT_EQ(ConfChange::Decode(*HexDecode("0803")).error().code(), Code::kCorruption);
  EXPECT_EQ(ConfChange::Decode(*HexDecode("12020809")).error().code(), Code::kCorruption);
}

TEST(CheckpointTest, RoundTrip) {
  const Checkpoint checkpoint{{Lsn{1000}, Term{3}}, kJoint, std::string("\0manifest", 9)};
  const auto decoded = Checkpoint::Decode(checkpoint.Encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, checkpoint);
  EXPECT_EQ(Checkpoint::Decode("\x12\x7f").error().code(), Code::kCorruption);
}

TEST(MessageTest, PeekShowsTheHeader) {
  const auto header = PeekMessage(*HexDecode("0808100318022007"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, static_cast<std::uint32_t>(MessageType::kHeartbeat));
  EXPECT_EQ(header->to, ReplicaId{3});
  EXPECT_EQ(header->from, ReplicaId{2});
  EXPECT_EQ(header->term, Term{7});
  EXPECT_EQ(PeekMessage("\xff").error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace quorate::consensus
