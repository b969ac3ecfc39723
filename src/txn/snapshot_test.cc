#include "txn/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kv/testing/memory_store.h"
#include "txn/internal/applied_mark.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr PartitionId kPartition{7};
constexpr RepositoryId kRepository{1};

void PutRef(kv::Store& store, PartitionId partition, const std::string& name, char value) {
  kv::WriteBatch batch;
  batch.Put(kv::Family::kState, internal::RefKey(partition, kRepository, name),
            internal::EncodeRefValue(ValueOf(value)));
  ASSERT_TRUE(store.Write(std::move(batch), {}));
}

void PutKey(kv::Store& store, PartitionId partition, const std::string& key,
            const std::string& value) {
  kv::WriteBatch batch;
  batch.Put(kv::Family::kState, internal::UserKey(partition, key), internal::EncodeKeyValue(value));
  ASSERT_TRUE(store.Write(std::move(batch), {}));
}

std::vector<std::string> Visited(const Snapshot& snapshot, const std::string& prefix,
                                 std::size_t count_max = SIZE_MAX) {
  std::vector<std::string> names;
  EXPECT_TRUE(snapshot.ForEachRef(kRepository, prefix, [&](const Ref& ref) {
    names.push_back(ref.name);
    return names.size() < count_max;
  }));
  return names;
}

std::vector<std::string> Keys(const Snapshot& snapshot, const std::string& prefix) {
  std::vector<std::string> keys;
  EXPECT_TRUE(snapshot.ForEachKey(prefix, [&](std::string_view key, std::string_view value) {
    keys.push_back(std::string(key) + "=" + std::string(value));
    return true;
  }));
  return keys;
}

// Counts what is asked of it.
class CountingView final : public kv::Snapshot {
 public:
  CountingView(std::shared_ptr<const kv::Snapshot> inner, int& reads)
      : inner_(std::move(inner)), reads_(reads) {}

  Result<std::optional<std::string>> Get(kv::Family family, std::string_view key) const override {
    ++reads_;
    return inner_->Get(family, key);
  }
  std::unique_ptr<kv::Iterator> NewIterator(kv::Family family, std::string_view lower,
                                            std::string_view upper) const override {
    ++reads_;
    return inner_->NewIterator(family, lower, upper);
  }

 private:
  const std::shared_ptr<const kv::Snapshot> inner_;
  int& reads_;
};

class CountingStore final : public kv::Store {
 public:
  Result<std::optional<std::string>> Get(kv::Family family, std::string_view key) const override {
    ++reads;
    return inner.Get(family, key);
  }
  std::unique_ptr<kv::Iterator> NewIterator(kv::Family family, std::string_view lower,
                                            std::string_view upper) const override {
    ++reads;
    return inner.NewIterator(family, lower, upper);
  }
  Status Write(kv::WriteBatch batch, kv::WriteOptions options) override {
    ++writes;
    return inner.Write(std::move(batch), options);
  }
  std::shared_ptr<const kv::Snapshot> TakeSnapshot() const override {
    if (before_snapshot) {
      std::exchange(before_snapshot, nullptr)();
    }
    return std::make_shared<CountingView>(inner.TakeSnapshot(), reads);
  }

  kv::MemoryStore inner;
  mutable std::function<void()> before_snapshot;
  mutable int reads = 0;
  int writes = 0;
};

TEST(SnapshotTest, ReferencesAreVisitedInOrderUntilToldToStop) {
  kv::MemoryStore store;
  EXPECT_THAT(Visited(Snapshot::Take(kPartition, store).value(), ""), IsEmpty());
  for (const char* name : {"refs/tags/v1", "refs/heads/b", "refs/heads/a/x", "refs/heads/a-x"}) {
    PutRef(store, kPartition, name, 'A');
  }
  const Snapshot snapshot = Snapshot::Take(kPartition, store).value();

  EXPECT_THAT(Visited(snapshot, ""),
              ElementsAre("refs/heads/a-x", "refs/heads/a/x", "refs/heads/b", "refs/tags/v1"));
  EXPECT_THAT(Visited(snapshot, "refs/heads/a/"), ElementsAre("refs/heads/a/x"));
  EXPECT_THAT(Visited(snapshot, "", 2), ElementsAre("refs/heads/a-x", "refs/heads/a/x"));
  EXPECT_THAT(Visited(snapshot, "refs/notes/"), IsEmpty());
}

// The neighbours' numbers are next to it, so that keys of one end where another's begin.
TEST(SnapshotTest, PartitionsOfOneStoreDoNotMeet) {
  kv::MemoryStore store;
  for (const std::uint64_t id : {6UL, 7UL, 8UL}) {
    PutKey(store, PartitionId{id}, "shared", std::to_string(id));
    PutKey(store, PartitionId{id}, "own" + std::to_string(id), "x");
    PutRef(store, PartitionId{id}, "refs/heads/main", 'A');
  }
  const auto look = [&store](std::uint64_t id) {
    return Snapshot::Take(PartitionId{id}, store).value();
  };

  EXPECT_THAT(Keys(look(7), ""), ElementsAre("own7=x", "shared=7"));
  EXPECT_EQ(look(7).FindKey("own6").value(), std::nullopt);
  EXPECT_EQ(look(8).FindKey("shared").value(), "8");

  kv::WriteBatch erase;
  EraseState(PartitionId{7}, erase);
  ASSERT_TRUE(store.Write(std::move(erase), {}));

  EXPECT_THAT(Keys(look(7), ""), IsEmpty());
  EXPECT_THAT(Visited(look(7), ""), IsEmpty());
  for (const std::uint64_t id : {6UL, 8UL}) {
    EXPECT_EQ(Keys(look(id), "").size(), 2U);
    EXPECT_EQ(Visited(look(id), "").size(), 1U);
  }
}

TEST(SnapshotTest, TakingOneReadsOneRecordHoweverMuchThereIs) {
  CountingStore store;
  for (int i = 0; i < 1000; ++i) {
    PutRef(store.inner, kPartition, "refs/heads/" + std::to_string(i), 'A');
  }

  const Snapshot snapshot = Snapshot::Take(kPartition, store).value();

  EXPECT_EQ(store.reads, 1);  // The position.
  EXPECT_EQ(store.writes, 0);
  EXPECT_EQ(Visited(snapshot, "").size(), 1000U);
}

class MarkedSnapshotTest : public testing::Test {
 protected:
  static RepositoryInfo InfoAt(Lsn lsn) {
    RepositoryInfo info;
    info.id = kRepository;
    info.ref_version = lsn;
    return info;
  }

  // As the applier does it.
  void Apply(Lsn lsn) {
    mark_.BeginWrite();
    Write(lsn);
    mark_.EndWrite({.lsn = lsn, .term = Term{2}},
                   std::make_shared<const RepositoryInfo>(InfoAt(lsn)));
  }
  void Write(Lsn lsn) {
    kv::WriteBatch batch;
    batch.Put(kv::Family::kState, internal::AppliedKey(kPartition),
              internal::EncodePosition({.lsn = lsn, .term = Term{2}}));
    batch.Put(kv::Family::kState, internal::RepositoryKey(kPartition, kRepository),
              internal::EncodeRepository(InfoAt(lsn)));
    ASSERT_TRUE(store_.inner.Write(std::move(batch), {}));
  }

  void ExpectTaken(Lsn lsn, int reads) {
    const Snapshot snapshot = Snapshot::Take(kPartition, store_, mark_).value();
    EXPECT_EQ(snapshot.position(), (Position{.lsn = lsn, .term = Term{2}}));
    EXPECT_EQ(snapshot.FindRepository(kRepository).value()->ref_version, lsn);
    EXPECT_EQ(store_.reads, reads);
    EXPECT_FALSE(snapshot.FindRepository(RepositoryId{9}).value());
  }

  CountingStore store_;
  internal::AppliedMark mark_;
};

TEST_F(MarkedSnapshotTest, WhatIsKnownIsNotRead) {
  Apply(Lsn{8});
  ExpectTaken(Lsn{8}, 0);
}

TEST_F(MarkedSnapshotTest, NothingIsKnownBeforeTheFirstWrite) {
  Write(Lsn{8});
  ExpectTaken(Lsn{8}, 2);
}

TEST_F(MarkedSnapshotTest, NothingIsKnownWhileAWriteIsUnderWay) {
  Apply(Lsn{8});
  mark_.BeginWrite();
  ExpectTaken(Lsn{8}, 2);
  store_.reads = 0;
  Write(Lsn{9});
  ExpectTaken(Lsn{9}, 2);
}

TEST_F(MarkedSnapshotTest, AWriteThatBeginsMeanwhileIsNoticed) {
  Apply(Lsn{8});
  store_.before_snapshot = [this] {
    mark_.BeginWrite();
    Write(Lsn{9});
  };
  ExpectTaken(Lsn{9}, 2);
}

TEST_F(MarkedSnapshotTest, AWriteThatBeginsAndEndsMeanwhileIsNoticed) {
  Apply(Lsn{8});
  store_.before_snapshot = [this] { Apply(Lsn{9}); };
  ExpectTaken(Lsn{9}, 2);
}

}  // namespace
}  // namespace quorate::txn
