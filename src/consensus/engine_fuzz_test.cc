// The engine, driven as the ready loop demands, under everything that may go wrong. The same seed
// gives the same run, byte for byte. QUORATE_SEED=n repeats one; with QUORATE_SEED_COUNT=m every
// test runs the m seeds from n on.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/testing/seeds.h"
#include "consensus/testing/fuzz_world.h"

namespace quorate::consensus::testing {
namespace {

// Runs these seeds and adds up what happened.
FuzzReport RunSeeds(FuzzOptions options, const Seeds& seeds) {
  FuzzReport sum;
  for (options.seed = seeds.first; options.seed < seeds.end(); ++options.seed) {
    const FuzzReport report = RunFuzz(options);
    EXPECT_FALSE(report.violation) << "QUORATE_SEED=" << options.seed << ": " << report.ToString();
    sum.proposed += report.proposed;
    sum.acknowledged += report.acknowledged;
    sum.crashes += report.crashes;
    sum.installs += report.installs;
    sum.conf_changes += report.conf_changes;
    sum.reads += report.reads;
    sum.transfers += report.transfers;
    sum.dropped += report.dropped;
    sum.digest = sum.digest * 31 + report.digest;
  }
  ::testing::Test::RecordProperty("report", sum.ToString());
  std::printf("  %s\n", sum.ToString().c_str());
  return sum;
}

// A fuzz in which nothing happens finds nothing.
void ExpectEventful(const FuzzReport& sum, const Seeds& seeds) {
  if (seeds.chosen) {
    return;
  }
  EXPECT_GT(sum.acknowledged, seeds.count * 300);
  EXPECT_GT(sum.crashes, seeds.count * 3);
  EXPECT_GT(sum.installs, seeds.count / 4);
  EXPECT_GT(sum.reads, seeds.count * 20);
  EXPECT_GT(sum.transfers, seeds.count / 2);
  EXPECT_GT(sum.dropped, seeds.count * 50);
}

class EngineFuzz : public ::testing::TestWithParam<std::uint64_t> {};

// Twenty-five seeds each, so that the slowest build stays within a test's time limit.
TEST_P(EngineFuzz, ThreeReplicas) {
  const Seeds seeds = ChooseSeeds(GetParam(), 25);
  ExpectEventful(RunSeeds({}, seeds), seeds);
}

// As a Replica runs it.
TEST_P(EngineFuzz, ThreeReplicasThatDoNotAnnounceCommits) {
  const Seeds seeds = ChooseSeeds(GetParam(), 25);
  ExpectEventful(RunSeeds({.announce_commits = false}, seeds), seeds);
}

INSTANTIATE_TEST_SUITE_P(SeedsFrom, EngineFuzz, ::testing::Range<std::uint64_t>(1, 201, 25));

TEST(EngineFuzzMembers, FiveReplicasWithMembersThatComeAndGo) {
  const Seeds seeds = ChooseSeeds(1, 8);
  for (const bool announce_commits : {true, false}) {
    const FuzzReport sum = RunSeeds({.replicas = 5,
                                     .chaos_turns = 1500,
                                     .heal_turns = 500,
                                     .announce_commits = announce_commits},
                                    seeds);
    if (!seeds.chosen) {
      EXPECT_GT(sum.conf_changes, 2 * seeds.count);
      EXPECT_GT(sum.installs, seeds.count);
    }
  }
}

TEST(EngineFuzzDigest, SameSeedSameMessages) {
  const FuzzOptions options{.seed = 42, .replicas = 5};
  const FuzzReport first = RunFuzz(options);
  const FuzzReport again = RunFuzz(options);
  const FuzzReport other = RunFuzz({.seed = 43, .replicas = 5});

  EXPECT_EQ(first.ToString(), again.ToString());
  EXPECT_NE(first.digest, other.digest);
}

}  // namespace
}  // namespace quorate::consensus::testing
