#include "raft/entry_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quorate::raft {
namespace {

using consensus::EntryView;

constexpr Position kBase{Lsn{5}, Term{1}};

std::string Print(const EntryCache& cache) {
  std::string out = "(" + std::to_string(cache.base().lsn.value) + "/" +
                    std::to_string(cache.base().term.value) + ")";
  for (Lsn lsn = cache.base().lsn.Next(); lsn <= cache.last().lsn; lsn = lsn.Next()) {
    const consensus::Entry* entry = cache.Find(lsn);
    out += " " + std::to_string(entry->lsn.value) + "/" + std::to_string(entry->term.value) +
           entry->data;
  }
  return out;
}

EntryCache Filled() {
  EntryCache cache(kBase);
  const std::vector<EntryView> entries = {{.lsn = Lsn{6}, .term = Term{2}, .data = "a"},
                                          {.lsn = Lsn{7}, .term = Term{2}, .data = "b"},
                                          {.lsn = Lsn{8}, .term = Term{3}, .data = "c"}};
  cache.Append(entries);
  return cache;
}

TEST(EntryCacheTest, KnowsItsEntriesAndTheOneBeforeThem) {
  const EntryCache cache = Filled();

  EXPECT_EQ(Print(cache), "(5/1) 6/2a 7/2b 8/3c");
  EXPECT_EQ(cache.FindTerm(Lsn{4}), std::nullopt);
  EXPECT_EQ(cache.FindTerm(Lsn{5}), Term{1});
  EXPECT_EQ(cache.FindTerm(Lsn{8}), Term{3});
  EXPECT_EQ(cache.FindTerm(Lsn{9}), std::nullopt);
  EXPECT_EQ(cache.Find(Lsn{5}), nullptr);
}

TEST(EntryCacheTest, ReplacesAConflictingTail) {
  EntryCache cache = Filled();
  const std::vector<EntryView> entries = {{.lsn = Lsn{7}, .term = Term{4}, .data = "x"}};

  cache.Append(entries);

  EXPECT_EQ(Print(cache), "(5/1) 6/2a 7/4x");
}

TEST(EntryCacheTest, DroppedEntriesLeaveTheirLastPosition) {
  EntryCache cache = Filled();

  cache.DropUpTo(Lsn{7});
  EXPECT_EQ(Print(cache), "(7/2) 8/3c");
  cache.DropUpTo(Lsn{100});

  EXPECT_EQ(Print(cache), "(8/3)");
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.last(), (Position{Lsn{8}, Term{3}}));
}

TEST(EntryCacheTest, ShrinksOnlyWhatIsDurable) {
  EntryCache cache = Filled();

  cache.Shrink(0, Lsn{6});

  EXPECT_EQ(Print(cache), "(6/2) 7/2b 8/3c");
}

TEST(EntryCacheTest, ShrinksNoFurtherThanItMust) {
  EntryCache cache = Filled();
  const std::size_t bytes = cache.bytes();

  cache.Shrink(bytes - 1, Lsn{8});

  EXPECT_EQ(Print(cache), "(6/2) 7/2b 8/3c");
  EXPECT_LT(cache.bytes(), bytes);
}

}  // namespace
}  // namespace quorate::raft
