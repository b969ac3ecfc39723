// The storm of testing/fuzz.h over many seeds, and proof that it would notice what it looks for.
//
// QUORATE_SEED=N runs that seed alone; QUORATE_SEED_COUNT=N runs so many (base/testing/seeds.h).
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/testing/seeds.h"
#include "raft/testing/fuzz.h"

namespace quorate::raft {
namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr std::uint64_t kSlices = 8;
constexpr std::uint64_t kSeedsToNotice = 60;  // A planted fault must show within so many.

// Slices, so that each stays well within the limit for one test on a busy machine.
class StormTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(StormTest, LosesNothing) {
  constexpr std::uint64_t kSlice = kSeeds / kSlices;
  const Seeds seeds = ChooseSeeds(1 + GetParam() * kSlice, kSlice);
  FuzzResult sum;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const FuzzResult result = RunFuzz({.seed = seed});
    ASSERT_FALSE(result.violation.has_value())
        << *result.violation << " (QUORATE_SEED=" << seed << ")";
    sum.acknowledged += result.acknowledged;
    sum.crashes += result.crashes;
    sum.reads += result.reads;
    sum.leaderships += result.leaderships;
    sum.transfers += result.transfers;
    sum.conf_changes += result.conf_changes;
  }
  if (!seeds.chosen && seeds.count >= 20) {  // A storm in which nothing happens proves nothing.
    const auto per_seed = [&](int total) { return total / static_cast<int>(seeds.count); };
    EXPECT_GE(per_seed(sum.acknowledged), 50);
    EXPECT_GE(per_seed(sum.reads), 10);
    EXPECT_GE(per_seed(2 * sum.leaderships), 3);
    EXPECT_GE(per_seed(sum.crashes), 2);
    EXPECT_GT(sum.transfers, 0);
    EXPECT_GT(sum.conf_changes, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StormTest, testing::Range(std::uint64_t{0}, kSlices));

TEST(ReplicaFuzzTest, LosesNothingInAStormOfElections) {
  const Seeds seeds = ChooseSeeds(1, 20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const FuzzResult result =
        RunFuzz({.seed = seed, .turns_per_campaign = 4, .turns_per_crash = 30});
    ASSERT_FALSE(result.violation.has_value())
        << *result.violation << " (QUORATE_SEED=" << seed << ")";
  }
}

TEST(ReplicaFuzzTest, FiveReplicasToo) {
  const Seeds seeds = ChooseSeeds(1, 10);
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const FuzzResult result = RunFuzz({.seed = seed, .replicas = 5});
    ASSERT_FALSE(result.violation.has_value())
        << *result.violation << " (QUORATE_SEED=" << seed << ")";
  }
}

TEST(ReplicaFuzzTest, AloneToo) {
  const Seeds seeds = ChooseSeeds(1, 20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const FuzzResult result = RunFuzz({.seed = seed, .replicas = 1});
    ASSERT_FALSE(result.violation.has_value())
        << *result.violation << " (QUORATE_SEED=" << seed << ")";
  }
}

TEST(ReplicaFuzzTest, TheSameSeedIsTheSameRun) {
  EXPECT_EQ(RunFuzz({.seed = 5}).digest, RunFuzz({.seed = 5}).digest);
  EXPECT_NE(RunFuzz({.seed = 5}).digest, RunFuzz({.seed = 6}).digest);
}

// Each planted fault must turn some seed red, else the storm is blind to it.
void ExpectNoticed(FuzzOptions options, std::uint64_t seeds = kSeedsToNotice) {
  std::string seen;
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    const FuzzResult result = RunFuzz(options);
    if (result.violation) {
      testing::Test::RecordProperty("noticed_at_seed", static_cast<int>(options.seed));
      testing::Test::RecordProperty("noticed_as", *result.violation);
      return;
    }
  }
  ADD_FAILURE() << "not noticed in " << seeds << " seeds";
}

TEST(ReplicaFuzzTest, NoticesPromisesSentBeforeTheyAreDurable) {
  ExpectNoticed({.unsafe = {.send_before_persist = true}});
}

// A crash must come between the entries of a new term and the term itself.
TEST(ReplicaFuzzTest, NoticesHardStateWrittenApart) {
  ExpectNoticed(
      {.turns_per_campaign = 4, .turns_per_crash = 30, .unsafe = {.split_hard_state = true}}, 300);
}

TEST(ReplicaFuzzTest, NoticesSkippedSyncs) {
  ExpectNoticed({.unsafe = {.skip_sync = true}});
}

TEST(ReplicaFuzzTest, NoticesReadsNobodyConfirmed) {
  ExpectNoticed({.unsafe = {.answer_reads_locally = true}});
}

TEST(ReplicaFuzzTest, NoticesAcknowledgementsBeforeTheCommit) {
  ExpectNoticed({.acknowledge_at_append = true});
}

}  // namespace
}  // namespace quorate::raft
