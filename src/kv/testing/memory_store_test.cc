#include "kv/testing/memory_store.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::kv {
namespace {

Status TryPut(Store& store, const std::string& key) {
  WriteBatch batch;
  batch.Put(Family::kState, key, "value of " + key);
  return store.Write(std::move(batch), {.sync = true});
}

void Put(Store& store, const std::string& key, bool sync) {
  WriteBatch batch;
  batch.Put(Family::kState, key, "value of " + key);
  ASSERT_TRUE(store.Write(std::move(batch), {.sync = sync}));
}

std::string Keys(const Reader& reader) {
  std::string keys;
  for (auto it = reader.NewIterator(Family::kState, "", "~"); it->Valid(); it->Next()) {
    keys.append(it->key()).append(" ");
  }
  return keys;
}

TEST(MemoryStoreTest, CrashKeepsWhatWasSyncedAndAPrefixOfTheRest) {
  MemoryStore store;
  Put(store, "a", false);
  Put(store, "b", true);
  Put(store, "c", false);
  Put(store, "d", false);
  EXPECT_EQ(store.unsynced(), 2U);

  store.Crash(1);
  EXPECT_EQ(Keys(store), "a b c ");
  store.Crash(0);
  EXPECT_EQ(Keys(store), "a b c ");  // What a restart found is there for good.
  EXPECT_EQ(store.syncs(), 1U);
}

TEST(MemoryStoreTest, RandomCrashReachesEveryPrefix) {
  Prng prng(1);
  std::array<int, 3> seen{};
  for (int i = 0; i < 100; ++i) {
    MemoryStore store;
    Put(store, "a", false);
    Put(store, "b", false);
    store.Crash(prng);
    ++seen.at(Keys(store).size() / 2);
  }
  for (const int count : seen) {
    EXPECT_GT(count, 0);
  }
}

TEST(MemoryStoreTest, SnapshotSurvivesLaterWritesAndCrash) {
  MemoryStore store;
  Put(store, "a", true);
  const auto snapshot = store.TakeSnapshot();
  Put(store, "b", false);
  store.Crash(0);
  Put(store, "c", false);

  EXPECT_EQ(Keys(*snapshot), "a ");
  EXPECT_EQ(Keys(store), "a c ");
}

TEST(MemoryStoreTest, FailedSyncBreaksTheStoreUntilRestartAndLeavesTheBatchInDoubt) {
  for (const std::size_t keep : {0U, 1U}) {
    MemoryStore store;
    store.FailNextSync();
    WriteBatch batch;
    batch.Put(Family::kState, "a", "");
    EXPECT_EQ(store.Write(batch, {.sync = true}).error().code(), Code::kInternal);
    EXPECT_EQ(store.Write(batch, {.sync = false}).error().code(), Code::kInternal);

    store.Crash(keep);
    EXPECT_EQ(Keys(store), keep == 0 ? "" : "a ");
    EXPECT_TRUE(store.Write(batch, {.sync = true}));
  }
}

TEST(MemoryStoreTest, FullDiskRefusesUntilThereIsRoomAndARestart) {
  MemoryStore store;
  store.SetDiskFull(true);
  WriteBatch batch;
  batch.Put(Family::kState, "a", "");
  EXPECT_EQ(store.Write(batch, {.sync = true}).error().code(), Code::kResourceExhausted);
  store.Crash(0);
  EXPECT_EQ(store.Write(batch, {.sync = true}).error().code(), Code::kResourceExhausted);

  store.SetDiskFull(false);
  EXPECT_EQ(store.Write(batch, {.sync = true}).error().code(), Code::kInternal);
  store.Crash(0);
  EXPECT_EQ(Keys(store), "");
  EXPECT_TRUE(store.Write(batch, {.sync = true}));
}

TEST(MemoryStoreTest, SyncHookRunsWhenTheBatchIsVisibleButNotDurable) {
  MemoryStore store;
  std::string seen;
  store.SetSyncHook([&] { seen = Keys(store) + std::to_string(store.unsynced()); });
  Put(store, "a", true);
  EXPECT_EQ(seen, "a 1");
  EXPECT_EQ(store.unsynced(), 0U);
}

TEST(MemoryStoreTest, TheGateIsAskedBeforeEachWriteAndAWriteThatItHoldsBackIsTheLast) {
  MemoryStore store;
  int asked = 0;
  store.SetWriteGate([&] { return ++asked < 2; });

  EXPECT_TRUE(TryPut(store, "a"));
  EXPECT_FALSE(TryPut(store, "b"));
  store.SetWriteGate(nullptr);
  EXPECT_FALSE(TryPut(store, "c"));

  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(store.broken());
  EXPECT_EQ(Keys(store), "a ");
  store.Crash(0);
  EXPECT_TRUE(TryPut(store, "c"));
}

TEST(MemoryStoreTest, DamageChangesWhatIsRead) {
  MemoryStore store;
  Put(store, "a", true);
  store.Damage(Family::kState, "a", "rot");
  store.Crash(0);
  EXPECT_EQ(store.Get(Family::kState, "a").value(), "rot");
}

}  // namespace
}  // namespace quorate::kv
