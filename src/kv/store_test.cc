// Both stores against the same slow twin: a std::map per family.
#include "kv/store.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "env/testing/loggers.h"
#include "env/testing/temporary_folder.h"
#include "kv/rocksdb_store.h"
#include "kv/testing/memory_store.h"

namespace quorate::kv {
namespace {

using Model = std::array<std::map<std::string, std::string>, kFamilies>;

class MemoryFixture {
 public:
  Store& store() { return store_; }
  void Reopen() { store_.Crash(store_.unsynced()); }

 private:
  MemoryStore store_;
};

class RocksDbFixture {
 public:
  RocksDbFixture() { Reopen(); }
  Store& store() { return *store_; }
  void Reopen() {
    store_ = nullptr;
    store_ = RocksDbStore::Open(folder_.path() + "/db", {}, logger_).value();
  }

 private:
  env::TemporaryFolder folder_;
  env::NullLogger logger_;
  std::unique_ptr<RocksDbStore> store_;
};

// Few, so that they meet; some short, others with a long beginning in common.
std::string RandomKey(Prng& prng) {
  constexpr std::array<std::string_view, 4> kBeginnings = {"", "", "beginning", "beginnin2"};
  std::string key(kBeginnings[prng.Below(kBeginnings.size())]);
  for (std::uint64_t more = 1 + prng.Below(3); more > 0; --more) {
    constexpr std::string_view kLetters("\0ab\xff", 4);
    key += kLetters[prng.Below(kLetters.size())];
  }
  return key;
}

Family RandomFamily(Prng& prng) {
  return static_cast<Family>(prng.Below(kFamilies));
}

// Adds a change to the batch and to the model.
void AddRandomChange(Prng& prng, WriteBatch& batch, Model& model) {
  const Family family = RandomFamily(prng);
  std::map<std::string, std::string>& map = model[static_cast<std::size_t>(family)];
  std::string key = RandomKey(prng);
  switch (prng.Below(5)) {
    case 0:
      map.erase(key);
      batch.Delete(family, std::move(key));
      break;
    case 1: {
      std::string last = RandomKey(prng);
      if (key < last) {
        map.erase(map.lower_bound(key), map.lower_bound(last));
      }
      batch.DeleteRange(family, std::move(key), std::move(last));
      break;
    }
    default: {
      std::string value = std::to_string(prng.Next());
      map[key] = value;
      batch.Put(family, std::move(key), std::move(value));
    }
  }
}

void ExpectSame(const Reader& reader, const Model& model, Prng& prng) {
  const Family family = RandomFamily(prng);
  const auto& map = model[static_cast<std::size_t>(family)];
  const std::string key = RandomKey(prng);
  const auto found = map.find(key);
  EXPECT_EQ(reader.Get(family, key).value(),
            found == map.end() ? std::optional<std::string>() : std::optional(found->second));

  std::string lower = RandomKey(prng);
  std::string upper = RandomKey(prng);
  const std::string skip_to = RandomKey(prng);
  auto expected = map.lower_bound(lower);
  const auto end = lower < upper ? map.lower_bound(upper) : expected;
  const auto it = reader.NewIterator(family, lower, upper);
  for (int steps = 0; it->Valid(); ++steps) {
    ASSERT_NE(expected, end);
    EXPECT_EQ(it->key(), expected->first);
    EXPECT_EQ(it->value(), expected->second);
    if (steps == 1) {
      it->Seek(skip_to);
      while (expected != end && expected->first < skip_to) {
        ++expected;
      }
    } else {
      it->Next();
      ++expected;
    }
  }
  EXPECT_EQ(expected, end);
  EXPECT_TRUE(it->status());
}

template <class Fixture>
class StoreTest : public ::testing::Test {
 protected:
  Fixture fixture_;
};

using Fixtures = ::testing::Types<MemoryFixture, RocksDbFixture>;
TYPED_TEST_SUITE(StoreTest, Fixtures);

TYPED_TEST(StoreTest, BehavesLikeAMap) {
  struct Seen {
    std::shared_ptr<const Snapshot> snapshot;
    Model model;
  };
  Prng prng(20261124);
  Model model;
  std::vector<Seen> snapshots;
  for (int turn = 0; turn < 1500; ++turn) {
    SCOPED_TRACE(turn);
    WriteBatch batch;
    for (std::uint64_t i = prng.Below(6); i > 0; --i) {
      AddRandomChange(prng, batch, model);
    }
    ASSERT_TRUE(this->fixture_.store().Write(std::move(batch), {.sync = prng.OneIn(20)}));
    ExpectSame(this->fixture_.store(), model, prng);
    if (prng.OneIn(10) && snapshots.size() < 8) {
      snapshots.push_back({this->fixture_.store().TakeSnapshot(), model});
    }
    if (!snapshots.empty()) {
      const Seen& seen = snapshots[prng.Below(snapshots.size())];
      ExpectSame(*seen.snapshot, seen.model, prng);
    }
    if (prng.OneIn(100)) {
      snapshots.clear();
      this->fixture_.Reopen();
    }
    ASSERT_FALSE(this->HasFailure());
  }
}

TYPED_TEST(StoreTest, ChangesOfABatchTakeEffectInTheirOrder) {
  WriteBatch batch;
  batch.Put(Family::kLog, "a", "1");
  batch.DeleteRange(Family::kLog, "a", "b");
  batch.Put(Family::kLog, "a", "2");
  batch.Put(Family::kLog, "b", "3");
  batch.Delete(Family::kLog, "b");
  WriteBatch more;
  more.Put(Family::kState, "b", "4");
  batch.Append(std::move(more));
  EXPECT_EQ(batch.changes().size(), 6U);

  Store& store = this->fixture_.store();
  ASSERT_TRUE(store.Write(std::move(batch), {}));
  EXPECT_EQ(store.Get(Family::kLog, "a").value(), "2");
  EXPECT_EQ(store.Get(Family::kLog, "b").value(), std::nullopt);
  EXPECT_EQ(store.Get(Family::kState, "b").value(), "4");
}

}  // namespace
}  // namespace quorate::kv
