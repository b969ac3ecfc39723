// The engine, driven as the ready loop demands, under everything that may go wrong. The same seed
// gives the same run, byte for byte. QUORATE_SEED=n repeats one; with QUORATE_SEED_COUNT=m every
// test runs the m seeds from n on.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "consensus/testing/fuzz_world.h"

namespace quorate::consensus::testing {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// Runs the seeds [first, first + count), or those of the environment, and adds up what happened.
FuzzReport RunSeeds(FuzzOptions options, std::uint64_t first, std::uint64_t count) {
  if (std::getenv("QUORATE_SEED") != nullptr) {
    first = FromEnvironment("QUORATE_SEED", 1);
    count = FromEnvironment("QUORATE_SEED_COUNT", 1);
  }
  FuzzReport sum;
  for (options.seed = first; options.seed < first + count; ++options.seed) {
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
void ExpectEventful(const FuzzReport& sum, std::uint64_t seeds) {
  if (std::getenv("QUORATE_SEED") != nullptr) {
    return;
  }
  EXPECT_GT(sum.acknowledged, seeds * 300);
  EXPECT_GT(sum.crashes, seeds * 3);
  EXPECT_GT(sum.installs, seeds / 2);
  EXPECT_GT(sum.reads, seeds * 20);
  EXPECT_GT(sum.transfers, seeds / 2);
  EXPECT_GT(sum.dropped, seeds * 50);
}

class EngineFuzz : public ::testing::TestWithParam<std::uint64_t> {};

// Twenty-five seeds each, so that the slowest build stays within a test's time limit.
TEST_P(EngineFuzz, ThreeReplicas) {
  ExpectEventful(RunSeeds({}, GetParam(), 25), 25);
}

INSTANTIATE_TEST_SUITE_P(SeedsFrom, EngineFuzz, ::testing::Range<std::uint64_t>(1, 201, 25));

TEST(EngineFuzzMembers, FiveReplicasWithMembersThatComeAndGo) {
  const FuzzReport sum = RunSeeds({.replicas = 5, .chaos_turns = 1500, .heal_turns = 500}, 1, 8);
  if (std::getenv("QUORATE_SEED") == nullptr) {
    EXPECT_GT(sum.conf_changes, 16U);
    EXPECT_GT(sum.installs, 8U);
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
