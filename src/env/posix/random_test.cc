#include "env/posix/random.h"

#include <gtest/gtest.h>

#include <set>

namespace quorate::env {
namespace {

// A repeated or unfilled buffer would show as equal numbers; among true random ones a collision has
// a chance of one in 10^13.
TEST(PosixRandomTest, NumbersDifferAcrossRefillsAndInstances) {
  PosixRandom one;
  PosixRandom other;
  std::set<std::uint64_t> seen;

  for (int i = 0; i < 500; ++i) {
    seen.insert(one.Next());
    seen.insert(other.Next());
  }

  EXPECT_EQ(seen.size(), 1000U);
}

TEST(PosixRandomTest, EveryBitTakesBothValues) {
  PosixRandom random;
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;

  for (int i = 0; i < 200; ++i) {
    const std::uint64_t word = random.Next();
    ones |= word;
    zeros |= ~word;
  }

  EXPECT_EQ(ones, ~std::uint64_t{0});
  EXPECT_EQ(zeros, ~std::uint64_t{0});
}

}  // namespace
}  // namespace quorate::env
