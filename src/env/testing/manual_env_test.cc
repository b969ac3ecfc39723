#include "env/testing/manual_env.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "env/testing/gated_strand.h"

namespace quorate::env {
namespace {

using std::chrono::milliseconds;

TEST(ManualEnvTest, EachStrandKeepsItsOrderWhateverTheSeed) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ManualEnv env(seed);
    const auto first = env.NewStrand();
    const auto second = env.NewStrand();
    std::string seen;
    for (const char c : {'a', 'b', 'c'}) {
      first->Post([&seen, c] { seen.push_back(c); });
      second->Post([&seen, c] { seen.push_back(static_cast<char>(c - 32)); });
    }

    env.RunUntilIdle();

    std::string lower;
    for (const char c : seen) {
      if (c >= 'a') {
        lower.push_back(c);
      }
    }
    EXPECT_EQ(lower, "abc") << "seed " << seed;
    EXPECT_EQ(seen.size(), 6U);
  }
}

TEST(ManualEnvTest, TimersFireInOrderAndDestroyedOnesDoNot) {
  ManualEnv env;
  const auto strand = env.NewStrand();
  std::string seen;
  const auto late = env.After(milliseconds(20), *strand, [&] { seen += "late"; });
  const auto early = env.After(milliseconds(10), *strand, [&] { seen += "early "; });
  auto never = env.After(milliseconds(15), *strand, [&] { seen += "never "; });

  never.reset();
  env.Advance(milliseconds(30));

  EXPECT_EQ(seen, "early late");
  EXPECT_EQ(env.Monotonic(), milliseconds(30));
}

TEST(ManualEnvTest, PassingTimePostsWhatIsDueAndRunsNothing) {
  ManualEnv env;
  const auto strand = env.NewStrand();
  std::string seen;
  const auto due = env.After(milliseconds(10), *strand, [&] { seen += "due"; });
  const auto later = env.After(milliseconds(30), *strand, [&] { seen += "later"; });

  env.Pass(milliseconds(20));

  EXPECT_EQ(seen, "");
  env.RunUntilIdle();
  EXPECT_EQ(seen, "due");
  EXPECT_EQ(env.Monotonic(), milliseconds(20));
}

TEST(GatedStrandTest, AfterItsProcessDiedNoTaskRunsOrIsHeld) {
  ManualEnv env;
  GatedStrand strand(env.NewStrand());
  const auto held = std::make_shared<int>(0);
  strand.Post([held] { ++*held; });  // Through the gate.
  strand.Shut();
  strand.Post([held] { ++*held; });  // Before it.

  strand.Kill();
  strand.Open();
  strand.Post([held] { ++*held; });

  EXPECT_EQ(held.use_count(), 1);
  env.RunUntilIdle();
  EXPECT_EQ(*held, 0);
}

TEST(GatedStrandTest, WhatWaitsAtTheGateKeepsItsOrder) {
  ManualEnv env;
  GatedStrand strand(env.NewStrand());
  std::string seen;
  strand.Shut();
  for (const char c : {'a', 'b', 'c'}) {
    strand.Post([&seen, c] { seen.push_back(c); });
  }

  strand.LetThrough(1);
  env.RunUntilIdle();
  EXPECT_EQ(seen, "a");

  strand.Open();
  strand.Post([&seen] { seen.push_back('d'); });
  env.RunUntilIdle();
  EXPECT_EQ(seen, "abcd");
}

}  // namespace
}  // namespace quorate::env
