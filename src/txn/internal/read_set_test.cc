#include "txn/internal/read_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::txn::internal {
namespace {

TEST(ReadSetTest, AKeyIsItsTwoParts) {
  ReadSet set;

  set.Add("ab", "cd");
  set.Add("abcd");
  set.Add("abc", "");

  EXPECT_EQ(set.Sorted(), (std::vector<std::string_view>{"abc", "abcd"}));
  EXPECT_TRUE(set.MayContain("abcd"));
  EXPECT_TRUE(set.MayContain("abc"));
  EXPECT_FALSE(set.MayContain("ab"));
  EXPECT_FALSE(ReadSet().MayContain("abcd"));
}

// Against std::set, with keys of all sizes up to larger than a piece.
TEST(ReadSetTest, HoldsWhatWasAdded) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    ReadSet set;
    std::set<std::string> model;
    for (int i = 0; i < 2000; ++i) {
      const std::size_t size = random() % 100 == 0 ? random() % 100'000 : random() % 40;
      const std::string key(size, static_cast<char>('a' + random() % 26));
      const std::size_t cut = size == 0 ? 0 : random() % size;
      set.Add(key.substr(0, cut), key.substr(cut));
      model.insert(key);
    }

    const std::vector<std::string_view> sorted = set.Sorted();
    EXPECT_TRUE(std::ranges::equal(sorted, model)) << "seed " << seed;
    for (int i = 0; i < 100; ++i) {
      const std::string key(random() % 40, static_cast<char>('a' + random() % 26));
      EXPECT_EQ(set.MayContain(key), model.contains(key)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace quorate::txn::internal
