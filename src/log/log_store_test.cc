#include "log/log_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/internal/records.h"
#include "log/testing/log_world.h"

namespace quorate::log {
namespace {

using Strings = std::vector<std::string>;
using kv::Family;

constexpr PartitionId kA{7};
constexpr PartitionId kB{8};
constexpr Identity kIdentity{.replica = ReplicaId{1}, .incarnation = 99};

std::vector<consensus::Entry> Entries(std::uint64_t first, std::uint64_t last, std::uint64_t term,
                                      const std::string& data = "data") {
  std::vector<consensus::Entry> entries;
  for (std::uint64_t lsn = first; lsn <= last; ++lsn) {
    entries.push_back({.lsn = Lsn{lsn}, .term = Term{term}, .data = data + std::to_string(lsn)});
  }
  return entries;
}

consensus::HardState HardState(std::uint64_t term, std::uint64_t commit) {
  return {.term = Term{term}, .vote = ReplicaId{1}, .commit = Lsn{commit}};
}

class LogStoreTest : public ::testing::Test {
 protected:
  LogStoreTest() {
    EXPECT_TRUE(store().Bootstrap(kA, kIdentity, "conf"));
    EXPECT_TRUE(store().Bootstrap(kB, kIdentity, "conf"));
  }

  LogStore& store() { return world_.store(); }

  // Queues only; `name` appears in done_ when it is durable.
  void Queue(PersistRequest request, std::string name = "done") {
    store().Persist(std::move(request), *strand_,
                    [this, name = std::move(name)] { done_.push_back(name); });
  }
  void Persist(PersistRequest request) {
    Queue(std::move(request));
    world_.env().RunUntilIdle();
  }

  // The stored log as "6@2:data6 7@2:data7 ".
  std::string Contents(PartitionId partition) {
    const StoredLog stored = store().Load(partition).value();
    std::string text;
    if (stored.last == stored.truncated.lsn) {
      return text;
    }
    const auto entries =
        store().Read(partition, stored.truncated.lsn.Next(), stored.last.Next(), 1 << 20).value();
    for (const consensus::Entry& entry : entries) {
      text += std::to_string(entry.lsn.value) + "@" + std::to_string(entry.term.value) + ":" +
              entry.data + " ";
    }
    return text;
  }

  // Puts `value` over what is stored, with a good checksum.
  void Overwrite(Family family, const std::string& key, std::string value) {
    kv::WriteBatch batch;
    batch.Put(family, key, std::move(value));
    ASSERT_TRUE(world_.disk().Write(std::move(batch), {.sync = true}));
  }

  LogWorld world_;
  std::unique_ptr<env::Strand> strand_ = world_.env().NewStrand();
  Strings done_;
};

TEST_F(LogStoreTest, NewPartitionIsEmptyAtTheBootstrapPosition) {
  const StoredLog stored = store().Load(kA).value();
  EXPECT_EQ(stored.identity, kIdentity);
  EXPECT_EQ(stored.hard_state,
            (consensus::HardState{.term = Term{1}, .vote = {}, .commit = Lsn{5}}));
  EXPECT_EQ(stored.conf_state, "conf");
  EXPECT_EQ(stored.conf_state_lsn, Lsn{5});
  EXPECT_EQ(stored.truncated, kBootstrapPosition);
  EXPECT_EQ(stored.last, Lsn{5});

  EXPECT_EQ(store().Bootstrap(kA, kIdentity, "").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(store().Load(PartitionId{9}).error().code(), Code::kNotFound);
  EXPECT_EQ(store().Partitions().value(), (std::vector{kA, kB}));
}

TEST_F(LogStoreTest, PersistedEntriesAreReadBackInOrderAndWithinTheBound) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 8)});

  EXPECT_EQ(store().Read(kA, Lsn{6}, Lsn{10}, 1 << 20).value(), Entries(6, 9, 2));
  EXPECT_EQ(store().Read(kA, Lsn{7}, Lsn{9}, 1 << 20).value(), Entries(7, 8, 2));
  EXPECT_EQ(store().Read(kA, Lsn{6}, Lsn{10}, 1).value(), Entries(6, 6, 2));
  EXPECT_EQ(store().Read(kA, Lsn{6}, Lsn{10}, 6).value(), Entries(6, 7, 2));
  EXPECT_EQ(store().Read(kA, Lsn{5}, Lsn{7}, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(store().Read(kA, Lsn{10}, Lsn{11}, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(store().TermAt(kA, Lsn{9}).value(), Term{2});
  EXPECT_EQ(store().TermAt(kA, Lsn{5}).value(), Term{1});
  EXPECT_EQ(store().TermAt(kA, Lsn{4}).error().code(), Code::kNotFound);
  EXPECT_EQ(store().TermAt(kA, Lsn{10}).error().code(), Code::kNotFound);
  EXPECT_EQ(store().Load(kA)->hard_state, HardState(2, 8));
}

TEST_F(LogStoreTest, ALargeEntryComesBackWhole) {
  std::vector<consensus::Entry> entries = Entries(6, 7, 2);
  entries[0].data.assign(10 << 20, 'x');
  entries[0].data.back() = 'y';
  Persist({.partition = kA, .entries = entries, .hard_state = HardState(2, 5)});
  world_.Crash(0);

  EXPECT_EQ(store().Read(kA, Lsn{6}, Lsn{8}, 64 << 20).value(), entries);
}

TEST_F(LogStoreTest, EntriesReplaceTheStoredTailAlsoWithAShorterOne) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 5)});
  Persist({.partition = kA, .entries = Entries(7, 7, 3, "new"), .hard_state = HardState(3, 5)});
  EXPECT_EQ(Contents(kA), "6@2:data6 7@3:new7 ");

  world_.Crash(0);  // The next writer finds the end of the log by itself.
  Persist({.partition = kA, .entries = Entries(7, 8, 4, "n"), .hard_state = HardState(4, 5)});
  EXPECT_EQ(Contents(kA), "6@2:data6 7@4:n7 8@4:n8 ");
}

TEST_F(LogStoreTest, RequestsThatArriveDuringASyncShareTheNextOne) {
  constexpr std::uint64_t kPartitions = 50;
  for (std::uint64_t i = 0; i < kPartitions; ++i) {
    ASSERT_TRUE(store().Bootstrap(PartitionId{100 + i}, kIdentity, ""));
  }
  world_.disk().SetSyncHook([this] {
    world_.disk().SetSyncHook(nullptr);
    for (std::uint64_t i = 0; i < kPartitions; ++i) {
      Queue({.partition = PartitionId{100 + i},
             .entries = Entries(6, 6, 1),
             .hard_state = HardState(1, 5)});
    }
  });
  const std::uint64_t before = world_.disk().syncs();
  Persist({.partition = kA, .entries = Entries(6, 6, 1)});

  EXPECT_EQ(world_.disk().syncs(), before + 2);
  EXPECT_EQ(done_.size(), kPartitions + 1);
}

TEST_F(LogStoreTest, CompletionComesOnlyWhenTheRequestIsDurable) {
  std::vector<std::size_t> unsynced_when_done;
  store().Persist({.partition = kA, .entries = Entries(6, 6, 1)}, *strand_,
                  [&] { unsynced_when_done.push_back(world_.disk().unsynced()); });
  EXPECT_TRUE(unsynced_when_done.empty());
  world_.env().RunUntilIdle();
  EXPECT_EQ(unsynced_when_done, std::vector<std::size_t>{0});
}

TEST_F(LogStoreTest, MovedCommitIsWrittenWithoutASyncAndInItsTurn) {
  const std::uint64_t syncs = world_.disk().syncs();
  Persist({.partition = kA, .hard_state = HardState(1, 5), .must_sync = false});
  EXPECT_EQ(world_.disk().syncs(), syncs);
  EXPECT_EQ(done_, Strings{"done"});

  done_.clear();
  Queue({.partition = kA, .entries = Entries(6, 6, 1)}, "entry");
  Queue({.partition = kA, .hard_state = HardState(1, 6), .must_sync = false}, "commit");
  Queue({.partition = kB, .entries = Entries(6, 6, 1)}, "other");
  world_.env().RunUntilIdle();
  EXPECT_EQ(done_, (Strings{"entry", "commit", "other"}));
  EXPECT_EQ(world_.disk().syncs(), syncs + 1);
  EXPECT_EQ(store().Load(kA)->hard_state.commit, Lsn{6});
}

TEST_F(LogStoreTest, OneBatchCarriesNoMoreThanItsBound) {
  env::ManualEnv env;
  kv::MemoryStore disk;
  env::FakeMetrics metrics;
  LogStore small(disk, env.NewStrand(), {.batch_bytes_max = 100}, world_.logger(), metrics);
  ASSERT_TRUE(small.Bootstrap(kA, kIdentity, ""));
  const auto strand = env.NewStrand();
  int done = 0;
  for (std::uint64_t lsn = 6; lsn < 16; ++lsn) {
    small.Persist({.partition = kA, .entries = Entries(lsn, lsn, 1, std::string(60, 'x'))}, *strand,
                  [&] { ++done; });
  }
  env.RunUntilIdle();
  EXPECT_EQ(done, 10);
  EXPECT_EQ(small.totals().batches, 6U);  // One of Bootstrap(), five of two entries each.
  EXPECT_EQ(small.totals().requests, 10U);
  EXPECT_EQ(metrics.Value("quorate_log_syncs_total"), 6);
  EXPECT_EQ(metrics.Value("quorate_log_batch_requests"), 10);
}

TEST_F(LogStoreTest, TruncatedPrefixIsGoneOnceAndForAll) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 9)});
  store().TruncatePrefix(kA, {.lsn = Lsn{7}, .term = Term{2}});
  store().TruncatePrefix(kA, {.lsn = Lsn{6}, .term = Term{2}});
  world_.env().RunUntilIdle();
  EXPECT_EQ(Contents(kA), "8@2:data8 9@2:data9 ");
  EXPECT_EQ(store().TermAt(kA, Lsn{7}).value(), Term{2});
  EXPECT_EQ(store().Read(kA, Lsn{7}, Lsn{9}, 1).error().code(), Code::kNotFound);

  store().TruncatePrefix(kA, {.lsn = Lsn{9}, .term = Term{2}});
  Persist({.partition = kA, .entries = Entries(10, 10, 2)});
  EXPECT_EQ(Contents(kA), "10@2:data10 ");
}

TEST_F(LogStoreTest, SizesOfEntriesAreToldWithoutReadingThem) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 9)});
  store().TruncatePrefix(kA, {.lsn = Lsn{6}, .term = Term{2}});
  world_.env().RunUntilIdle();
  std::vector<std::size_t> sizes;
  const auto note = [&sizes](std::size_t bytes) { sizes.push_back(bytes); };

  EXPECT_TRUE(store().ForEachSize(kA, Lsn{7}, Lsn{10}, note));

  ASSERT_EQ(sizes.size(), 3u);
  EXPECT_GT(sizes[0], std::string("data7").size());
  EXPECT_EQ(sizes[0], sizes[2]);
  EXPECT_TRUE(store().ForEachSize(kA, Lsn{10}, Lsn{10}, note)) << "of nothing";
  EXPECT_EQ(store().ForEachSize(kA, Lsn{6}, Lsn{10}, note).error().code(), Code::kNotFound);
  EXPECT_EQ(store().ForEachSize(kA, Lsn{9}, Lsn{11}, note).error().code(), Code::kNotFound);
}

TEST_F(LogStoreTest, UnsyncedTruncationAndConfigurationMayBeLostButNothingElse) {
  Persist({.partition = kA, .entries = Entries(6, 7, 1), .hard_state = HardState(1, 7)});
  store().TruncatePrefix(kA, {.lsn = Lsn{6}, .term = Term{1}});
  store().SaveConfState(kA, {.term = Term{1}, .vote = {}, .commit = Lsn{7}}, "later", Lsn{7});
  world_.env().RunUntilIdle();
  EXPECT_EQ(store().Load(kA)->conf_state, "later");
  EXPECT_EQ(store().Load(kA)->conf_state_lsn, Lsn{7});

  world_.Crash(0);
  EXPECT_EQ(store().Load(kA)->conf_state, "conf");
  EXPECT_EQ(Contents(kA), "6@1:data6 7@1:data7 ");
}

TEST_F(LogStoreTest, CheckpointReplacesTheLogTogetherWithTheData) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 6)});
  PersistRequest install{
      .partition = kA,
      .checkpoint = InstalledCheckpoint{.position = {Lsn{20}, Term{3}}, .conf_state = "new"},
      .entries = Entries(21, 21, 3),
      .hard_state = HardState(3, 20)};
  install.with.Put(Family::kState, "state", "switched");
  Queue(std::move(install));
  world_.disk().SetSyncHook([this] { EXPECT_EQ(world_.disk().unsynced(), 1U); });
  world_.env().RunUntilIdle();

  EXPECT_EQ(Contents(kA), "21@3:data21 ");
  const StoredLog stored = store().Load(kA).value();
  EXPECT_EQ(stored.truncated, (Position{Lsn{20}, Term{3}}));
  EXPECT_EQ(stored.conf_state, "new");
  EXPECT_EQ(world_.disk().Get(Family::kState, "state").value(), "switched");
}

TEST_F(LogStoreTest, DestroyedPartitionLeavesOnlyATombstone) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 6)});
  done_.clear();
  Queue({.partition = kA, .entries = Entries(10, 10, 2)}, "of the destroyed");
  Queue({.partition = kB, .entries = Entries(6, 6, 1)}, "of the other");
  ASSERT_TRUE(store().Destroy(kA));
  ASSERT_TRUE(store().Destroy(kA));
  Queue({.partition = kA, .entries = Entries(10, 10, 2)}, "too late");
  world_.env().RunUntilIdle();

  EXPECT_EQ(done_, Strings{"of the other"});
  EXPECT_EQ(store().Load(kA).error().code(), Code::kNotFound);
  EXPECT_EQ(store().Partitions().value(), std::vector{kB});
  EXPECT_EQ(store().FindTombstone(kA).value(), ReplicaId{1});
  EXPECT_EQ(store().FindTombstone(kB).value(), std::nullopt);
  EXPECT_EQ(store().Read(kA, Lsn{6}, Lsn{7}, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(store().Bootstrap(kA, kIdentity, "").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(store().Destroy(PartitionId{9}).error().code(), Code::kNotFound);
}

TEST_F(LogStoreTest, OnlyANewerReplicaMayJoinAfterATombstone) {
  ASSERT_TRUE(store().Destroy(kA));
  EXPECT_EQ(store().Join(kA, kIdentity).error().code(), Code::kAlreadyExists);
  ASSERT_TRUE(store().Join(kA, {.replica = ReplicaId{2}, .incarnation = 5}));
  const StoredLog stored = store().Load(kA).value();
  EXPECT_EQ(stored.identity.replica, ReplicaId{2});
  EXPECT_EQ(stored.last, Lsn{0});
  EXPECT_EQ(stored.conf_state, "");
  EXPECT_EQ(store().Join(kA, {.replica = ReplicaId{3}}).error().code(), Code::kAlreadyExists);
}

TEST_F(LogStoreTest, LoadFindsRecordsThatContradictOneAnother) {
  Persist({.partition = kA, .entries = Entries(6, 9, 2), .hard_state = HardState(2, 9)});
  const auto entry_value = [](std::uint64_t lsn, std::uint64_t term) {
    const std::string key = internal::EntryKey(kA, Lsn{lsn});
    return internal::EncodeEntry(key, {.lsn = Lsn{lsn}, .term = Term{term}, .data = "data"});
  };
  const auto load_error = [this] { return store().Load(kA).error(); };
  const std::string hard_state_key = internal::RecordKey(kA, internal::RecordKind::kHardState);

  Overwrite(Family::kRaft, hard_state_key,
            internal::EncodeHardState(hard_state_key, HardState(2, 10)));
  EXPECT_THAT(load_error().message(), testing::HasSubstr("committed beyond the last entry"));
  Overwrite(Family::kRaft, hard_state_key,
            internal::EncodeHardState(hard_state_key, HardState(1, 9)));
  EXPECT_THAT(load_error().message(), testing::HasSubstr("current term below"));
  Overwrite(Family::kLog, internal::EntryKey(kA, Lsn{8}), entry_value(8, 1));
  EXPECT_THAT(load_error().message(), testing::HasSubstr("terms fall"));
  Overwrite(Family::kLog, internal::EntryKey(kA, Lsn{8}), entry_value(7, 2));
  EXPECT_THAT(load_error().message(), testing::HasSubstr("checksum mismatch"));  // Misplaced.
  Overwrite(Family::kLog, internal::EntryKey(kA, Lsn{8}), entry_value(8, 2));

  kv::WriteBatch batch;
  batch.Delete(Family::kLog, internal::EntryKey(kA, Lsn{7}));
  ASSERT_TRUE(world_.disk().Write(std::move(batch), {.sync = true}));
  EXPECT_THAT(load_error().message(), testing::HasSubstr("gap in the log"));
  EXPECT_EQ(store().Read(kA, Lsn{7}, Lsn{10}, 1 << 20).error().code(), Code::kCorruption);
}

TEST_F(LogStoreTest, EveryFlippedBitIsFound) {
  Persist({.partition = kA, .entries = Entries(6, 6, 2), .hard_state = HardState(2, 6)});
  for (const auto& [family, key] :
       {std::pair(Family::kLog, internal::EntryKey(kA, Lsn{6})),
        std::pair(Family::kRaft, internal::RecordKey(kA, internal::RecordKind::kHardState)),
        std::pair(Family::kRaft, internal::RecordKey(kA, internal::RecordKind::kTruncated))}) {
    const std::string good = world_.disk().Get(family, key).value().value();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      world_.disk().Damage(family, key, bad);
      ASSERT_EQ(store().Load(kA).error().code(), Code::kCorruption) << bit;
    }
    world_.disk().Damage(family, key, good);
    ASSERT_TRUE(store().Load(kA));
  }
}

TEST_F(LogStoreTest, FailedWriteIsReportedOnceAndNothingFollows) {
  world_.disk().FailNextSync();
  Queue({.partition = kA, .entries = Entries(6, 6, 1)}, "first");
  world_.env().RunUntilIdle();
  Queue({.partition = kA, .entries = Entries(7, 7, 1)}, "second");
  world_.env().RunUntilIdle();
  EXPECT_EQ(world_.fatal(), Strings{"sync: injected failure"});
  EXPECT_EQ(done_, Strings{});
  EXPECT_EQ(world_.logger().Count("log write failed"), 1);

  world_.Crash(0);
  Queue({.partition = kA, .entries = Entries(6, 6, 1)}, "after the restart");
  world_.env().RunUntilIdle();
  EXPECT_EQ(done_, Strings{"after the restart"});
}

TEST_F(LogStoreTest, FullDiskEndsTheProcessToo) {
  world_.disk().SetDiskFull(true);
  Queue({.partition = kA, .entries = Entries(6, 6, 1)}, "first");
  world_.env().RunUntilIdle();
  EXPECT_EQ(world_.fatal().size(), 1U);
  EXPECT_EQ(done_, Strings{});
}

TEST(LogStoreDeathTest, WithoutAHandlerTheProcessExitsWithOneLine) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        env::ManualEnv env;
        env::NullLogger logger;
        env::FakeMetrics metrics;
        kv::MemoryStore disk;
        LogStore store(disk, env.NewStrand(), {}, logger, metrics);
        disk.FailNextSync();
        static_cast<void>(store.Bootstrap(kA, kIdentity, ""));
      },
      testing::ExitedWithCode(1),
      "^quorate: cannot write the log, stopping: sync: injected failure\n$");
}

// Counts range deletes; otherwise a MemoryStore.
class TombstoneCounter final : public kv::Store {
 public:
  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return store_.Get(family, key);
  }
  std::unique_ptr<kv::Iterator> NewIterator(Family family, std::string_view lower,
                                            std::string_view upper) const override {
    return store_.NewIterator(family, lower, upper);
  }
  std::shared_ptr<const kv::Snapshot> TakeSnapshot() const override {
    return store_.TakeSnapshot();
  }
  Status Write(kv::WriteBatch batch, kv::WriteOptions options) override {
    for (const kv::WriteBatch::Change& change : batch.changes()) {
      range_deletes += change.kind == kv::WriteBatch::Kind::kDeleteRange ? 1 : 0;
    }
    return store_.Write(std::move(batch), options);
  }

  int range_deletes = 0;

 private:
  kv::MemoryStore store_;
};

TEST(LogStoreTombstonesTest, AppendingAtTheEndDeletesNothing) {
  env::ManualEnv env;
  env::NullLogger logger;
  env::FakeMetrics metrics;
  TombstoneCounter disk;
  LogStore store(disk, env.NewStrand(), {}, logger, metrics);
  const auto strand = env.NewStrand();
  ASSERT_TRUE(store.Bootstrap(kA, kIdentity, ""));
  for (std::uint64_t lsn = 6; lsn < 100; ++lsn) {
    store.Persist({.partition = kA, .entries = Entries(lsn, lsn, 1)}, *strand, [] {});
  }
  env.RunUntilIdle();
  EXPECT_EQ(disk.range_deletes, 0);

  store.Persist({.partition = kA, .entries = Entries(50, 60, 2)}, *strand, [] {});
  env.RunUntilIdle();
  EXPECT_EQ(disk.range_deletes, 1);
}

}  // namespace
}  // namespace quorate::log
