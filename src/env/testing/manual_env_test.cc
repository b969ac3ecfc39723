#include "env/testing/manual_env.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace quorate::env
