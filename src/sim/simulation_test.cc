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
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const SimulationResult result = Simulate({.seed = seed});
    ASSERT_FALSE(result.violation) << result.violation->checker << ": " << result.violation->what
                                   << " (tools/sim --seed " << seed << " --trace)";
  }
}

TEST(SimulationTest, TheSameSeedIsTheSameRun) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    EXPECT_EQ(Simulate({.seed = seed}).hash, Simulate({.seed = seed}).hash) << seed;
  }
  EXPECT_NE(Simulate({.seed = 5}).hash, Simulate({.seed = 6}).hash);
}

}  // namespace
}  // namespace quorate::sim
