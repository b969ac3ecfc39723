// Many seeds of the simulation, and what each run must have in it to mean something.
//
// QUORATE_SEED=N runs that seed alone, QUORATE_SEED_COUNT=N so many; tools/sim runs many more.
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "base/testing/seeds.h"

namespace quorate::sim {
namespace {

TEST(SimulationTest, NoSeedFails) {
  const Seeds seeds = ChooseSeeds(1, 100);
  Oracle::Totals sum;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const SimulationResult result = Simulate({.seed = seed});
    ASSERT_FALSE(result.violation) << result.violation->checker << ": " << result.violation->what
                                   << " (tools/sim --seed " << seed << " --trace)";
    sum.acknowledged += result.totals.acknowledged;
    sum.unchanged += result.totals.unchanged;
    sum.conflicts += result.totals.conflicts;
    sum.current_reads += result.totals.current_reads;
    sum.changes_read += result.totals.changes_read;
    sum.cut_off += result.totals.cut_off;
    sum.leaderships += result.totals.leaderships;
    sum.retried += result.totals.retried;
  }
  if (!seeds.chosen && seeds.count >= 20) {  // Runs in which nothing happens prove nothing.
    EXPECT_GE(sum.acknowledged, 10 * seeds.count);
    EXPECT_GE(sum.unchanged, 2 * seeds.count);
    EXPECT_GE(sum.conflicts, 5 * seeds.count);
    EXPECT_GE(sum.retried, 2 * seeds.count);
    EXPECT_GE(sum.changes_read, seeds.count);
    EXPECT_GE(sum.leaderships, 2 * seeds.count);
    EXPECT_GT(sum.current_reads, 0U);
    EXPECT_GT(sum.cut_off, 0U);
  }
}

TEST(SimulationTest, TheSameSeedIsTheSameRun) {
  // All sizes of groups, the local log, both workloads.
  for (std::uint64_t seed = 1; seed <= 18; ++seed) {
    EXPECT_EQ(Simulate({.seed = seed}).hash, Simulate({.seed = seed}).hash) << seed;
  }
  EXPECT_NE(Simulate({.seed = 5}).hash, Simulate({.seed = 6}).hash);
}

}  // namespace
}  // namespace quorate::sim
