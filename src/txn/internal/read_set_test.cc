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
  for (const bool sealed : {false, true}) {
    if (sealed) {
      set.Seal();
    }
    EXPECT_TRUE(set.MayContain("abcd"));
    EXPECT_TRUE(set.MayContain("abc"));
    EXPECT_FALSE(set.MayContain("ab"));
  }
}

TEST(ReadSetTest, AnEmptySetContainsNothing) {
  ReadSet set;
  EXPECT_FALSE(set.MayContain("abcd"));
  EXPECT_FALSE(set.MayContain(""));
  set.Seal();
  EXPECT_FALSE(set.MayContain("abcd"));
  EXPECT_FALSE(set.MayContain(""));
}

TEST(ReadSetTest, TheSameKeyAgainIsNotAdded) {
  ReadSet set;
  set.Add("ab", "cd");
  set.Add("a", "bcd");
  set.Add("ab", "cd");
  EXPECT_EQ(set.size(), 1U);
  set.Add("ab", "ce");
  set.Add("ab", "cd");
  EXPECT_EQ(set.size(), 3U);
}

// Every size up to where the filter has grown a few times, and once more added to.
TEST(ReadSetTest, NothingThatWasAddedIsMissed) {
  ReadSet set;
  std::vector<std::string> keys;
  for (int size = 1; size <= 300; ++size) {
    keys.push_back("refs/heads/b" + std::to_string(size));
    set.Add("R12345678", keys.back());
    EXPECT_TRUE(set.MayContain("R12345678" + keys.back()));  // It was sealed with one less.
    set.Seal();
    for (const std::string& key : keys) {
      ASSERT_TRUE(set.MayContain("R12345678" + key)) << size;
    }
    EXPECT_FALSE(set.MayContain("R12345678refs/heads/c" + std::to_string(size)));
  }
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
    set.Seal();
    for (const std::string& key : model) {
      EXPECT_TRUE(set.MayContain(key)) << "seed " << seed;
    }
    for (int i = 0; i < 100; ++i) {
      const std::string key(random() % 40, static_cast<char>('a' + random() % 26));
      EXPECT_EQ(set.MayContain(key), model.contains(key)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace quorate::txn::internal
