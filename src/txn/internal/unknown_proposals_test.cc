#include "txn/internal/unknown_proposals.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "git/testing/fake_packs.h"

namespace quorate::txn::internal {
namespace {

class UnknownProposalsTest : public ::testing::Test {
 protected:
  // One named by its LSN, with a pack of that name.
  void Add(std::uint64_t lsn, std::uint64_t term) {
    const std::string name = std::to_string(lsn);
    LocalPacks packs;
    packs.push_back(packs_.NewInline(name));
    unknown_.Add({.position = {.lsn = Lsn{lsn}, .term = Term{term}},
                  .id = {.bytes = name},
                  .named_by_client = true,
                  .packs = std::move(packs)});
  }
  // "N packs; lost ..."
  std::string Decide(std::uint64_t lsn, std::uint64_t term) {
    UnknownProposals::Decided decided = unknown_.Decide({.lsn = Lsn{lsn}, .term = Term{term}});
    std::string text = std::to_string(decided.packs.size()) + " packs; lost";
    for (const UnknownProposals::Proposal& proposal : decided.lost) {
      text += " " + proposal.id.bytes;
    }
    return text;
  }

  git::FakePacks packs_;
  UnknownProposals unknown_;
};

TEST_F(UnknownProposalsTest, OneThatIsCommittedGivesItsPacks) {
  Add(10, 2);
  Add(11, 2);

  EXPECT_EQ(Decide(10, 2), "1 packs; lost");
  EXPECT_FALSE(unknown_.Contains("10"));
  EXPECT_TRUE(unknown_.Contains("11"));
}

TEST_F(UnknownProposalsTest, AnotherEntryInItsPlaceDecidesIt) {
  Add(10, 2);

  EXPECT_EQ(Decide(10, 1), "0 packs; lost 10") << "an older one that was there all along";
  EXPECT_FALSE(unknown_.Contains("10"));
}

TEST_F(UnknownProposalsTest, AnEntryOfALaterTermDecidesAllBehindItToo) {
  Add(10, 2);
  Add(11, 2);

  EXPECT_EQ(Decide(9, 2), "0 packs; lost") << "they may still follow";
  EXPECT_TRUE(unknown_.Contains("11"));
  EXPECT_EQ(Decide(9, 3), "0 packs; lost 10 11");
  EXPECT_FALSE(unknown_.Contains("11"));
}

}  // namespace
}  // namespace quorate::txn::internal
