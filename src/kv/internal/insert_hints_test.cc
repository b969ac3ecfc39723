#include "kv/internal/insert_hints.h"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/write_batch.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "env/testing/loggers.h"
#include "env/testing/temporary_folder.h"
#include "kv/rocksdb_store.h"

namespace quorate::kv::internal {
namespace {

TEST(InsertHintsTest, ThereAreNoneBeforeTheStoreIsOpen) {
  InsertHints hints(4);
  EXPECT_FALSE(hints.InDomain("partition"));
  hints.Start();
  EXPECT_TRUE(hints.InDomain("partition"));
}

TEST(InsertHintsTest, KeysWithTheSameBeginningBelongTogether) {
  InsertHints hints(4);
  hints.Start();
  EXPECT_TRUE(hints.InDomain("part"));
  EXPECT_FALSE(hints.InDomain("par"));
  EXPECT_EQ(hints.Transform("part1").ToString(), "part");
  EXPECT_EQ(hints.Transform("part").ToString(), "part");
}

// What a batch deletes, as RocksDB would insert it.
class Deleted final : public rocksdb::WriteBatch::Handler {
 public:
  Deleted(std::string_view first, std::string_view last) {
    rocksdb::WriteBatch batch;
    EXPECT_TRUE(DeleteRange(nullptr, first, last, batch).ok());
    EXPECT_TRUE(batch.Iterate(this).ok());
  }

  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    keys.push_back(key.ToString());
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice& first,
                                const rocksdb::Slice& last) override {
    ranges.emplace_back(first.ToString(), last.ToString());
    return rocksdb::Status::OK();
  }

  std::vector<std::string> keys;
  std::vector<std::pair<std::string, std::string>> ranges;
};

// RocksDB would use it in the list of range deletes, where it does not belong.
TEST(InsertHintsTest, NoRangeBeginsAtAKeyWithAHint) {
  InsertHints hints(1);
  hints.Start();
  for (const std::string& first : {std::string("a"), std::string("a\0", 2), std::string("\xff")}) {
    const Deleted deleted(first, first + "\xff");
    EXPECT_EQ(deleted.keys, std::vector<std::string>{first});
    ASSERT_EQ(deleted.ranges.size(), 1U);
    EXPECT_EQ(deleted.ranges[0].first, first + std::string(1, '\0'));
    EXPECT_EQ(deleted.ranges[0].second, first + "\xff");
    EXPECT_FALSE(hints.InDomain(deleted.ranges[0].first));
  }
}

TEST(InsertHintsTest, ARangeOfOneKeyIsThatKey) {
  const Deleted deleted("a", std::string("a\0", 2));
  EXPECT_EQ(deleted.keys, std::vector<std::string>{"a"});
  EXPECT_TRUE(deleted.ranges.empty());
}

TEST(InsertHintsTest, AnEmptyOrInvertedRangeDeletesNothing) {
  for (const char* last : {"a", "A", ""}) {
    const Deleted deleted("a", last);
    EXPECT_TRUE(deleted.keys.empty());
    EXPECT_TRUE(deleted.ranges.empty());
  }
}

// Entries of many logs by turns, each at the end of its own.
TEST(InsertHintsTest, AnOpenStoreDoesNotSearchForTheEndOfALog) {
  constexpr int kLogs = 64;
  constexpr int kEntries = 100;
  env::TemporaryFolder folder;
  env::NullLogger logger;
  const auto store = RocksDbStore::Open(folder.path() + "/db", {}, logger).value();
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  rocksdb::get_perf_context()->Reset();

  for (int entry = 1; entry <= kEntries; ++entry) {
    WriteBatch batch;
    for (int log = 0; log < kLogs; ++log) {
      std::string key;
      AppendBigEndian64(key, static_cast<std::uint64_t>(log));
      AppendBigEndian64(key, static_cast<std::uint64_t>(entry));
      batch.Put(Family::kLog, std::move(key), "value");
    }
    ASSERT_TRUE(store->Write(std::move(batch), {}));
  }

  const std::uint64_t comparisons = rocksdb::get_perf_context()->user_key_comparison_count;
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  EXPECT_LT(comparisons / (kLogs * kEntries), 40U);  // A search takes 80 (Debian has asserts).
}

}  // namespace
}  // namespace quorate::kv::internal
