// Reads of keys through a transaction against a map, with keys that look like internal ones.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/testing/seeds.h"
#include "txn/internal/state_keys.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

constexpr RepositoryId kRepository{1};

using Keys = std::map<std::string, std::string>;

// What the store has, but for the keys of users.
std::map<std::string, std::string> Internal(const Snapshot& snapshot) {
  std::map<std::string, std::string> all;
  const std::string prefix = internal::PartitionPrefix(World::kPartition);
  const std::string users = internal::UserKey(World::kPartition, "");
  const std::string end = internal::PrefixEnd(prefix);
  for (const auto it = snapshot.view().NewIterator(kv::Family::kState, prefix, end); it->Valid();
       it->Next()) {
    if (!it->key().starts_with(users)) {
      all.emplace(it->key(), it->value());
    }
  }
  return all;
}

class KeysTest {
 public:
  explicit KeysTest(std::uint64_t seed) : prng_(seed), world_(*mode_, std::nullopt) {}

  void Play() {
    ASSERT_TRUE(world_.Open());
    world_.Run();
    Transaction create = Begin();
    ASSERT_TRUE(
        create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
    ASSERT_TRUE(create.StageConfig(kRepository, "core.x", std::nullopt, {"1"}));
    Commit(std::move(create));
    const auto before = Internal(*world_.manager().LocalSnapshot());
    Keys committed;
    for (int round = 0; round < 10; ++round) {
      Transaction transaction = Begin();
      Keys own = committed;
      for (int step = 0; step < 20; ++step) {
        const std::string key = RandomKey();
        if (prng_.OneIn(3)) {
          ASSERT_TRUE(transaction.StageKey(key, std::nullopt, std::nullopt));
          own.erase(key);
        } else {
          const std::string value = std::to_string(prng_.Below(100));
          ASSERT_TRUE(transaction.StageKey(key, std::nullopt, value));
          own[key] = value;
        }
        ASSERT_NO_FATAL_FAILURE(Compare(transaction, own));
      }
      Commit(std::move(transaction));
      committed = std::move(own);
    }
    // Only positions and ids of transactions moved.
    const auto after = Internal(*world_.manager().LocalSnapshot());
    for (const auto& [key, value] : before) {
      const auto at = after.find(key);
      ASSERT_NE(at, after.end());
      ASSERT_TRUE(at->second == value || key == internal::AppliedKey(World::kPartition));
    }
  }

 private:
  Transaction Begin() { return world_.manager().Begin({}).value(); }
  void Commit(Transaction transaction) {
    world_.manager().Commit(std::move(transaction), [](Result<CommitOutcome> outcome) {
      ASSERT_TRUE(outcome) << outcome.error().ToString();
    });
    world_.Run();
  }

  // Often what an internal key looks like, whole or in part.
  std::string RandomKey() {
    const std::vector<std::string> likely = {
        internal::AppliedKey(World::kPartition),
        internal::RepositoryKey(World::kPartition, kRepository),
        internal::RefKey(World::kPartition, kRepository, "refs/heads/main"),
        internal::ConfigKey(World::kPartition, kRepository, "core.x"),
        internal::UserKey(World::kPartition, "x")};
    if (prng_.OneIn(2)) {
      const std::string& whole = likely[prng_.Below(likely.size())];
      return whole.substr(prng_.Below(whole.size()));
    }
    static const std::string kLetters("AIRKCLTUO/\0\xff", 13);
    std::string key;
    for (std::uint64_t n = 1 + prng_.Below(3); n > 0; --n) {
      key += kLetters[prng_.Below(kLetters.size())];
    }
    return key;
  }

  void Compare(Transaction& transaction, const Keys& own) {
    const std::string point = RandomKey();
    const auto at = own.find(point);
    ASSERT_EQ(transaction.FindKey(point).value(),
              at == own.end() ? std::nullopt : std::optional(at->second));
    const std::string prefix = prng_.OneIn(3) ? "" : RandomKey().substr(0, 1 + prng_.Below(2));
    Keys found;
    ASSERT_TRUE(transaction.ForEachKey(prefix, [&](std::string_view key, std::string_view value) {
      EXPECT_TRUE(found.empty() || found.rbegin()->first < key);
      found.emplace(key, value);
      return true;
    }));
    Keys expected;
    for (const auto& [key, value] : own) {
      if (key.starts_with(prefix)) {
        expected.emplace(key, value);
      }
    }
    ASSERT_EQ(found, expected);
  }

  Prng prng_;
  const std::unique_ptr<LogMode> mode_ = NewLocalMode();
  World world_;
};

TEST(TransactionReadsTest, UserKeysAreWhatAMapSaysAndReachNothingElse) {
  const Seeds seeds = ChooseSeeds(1, 30);
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    SCOPED_TRACE("QUORATE_SEED=" + std::to_string(seed));
    KeysTest(seed).Play();
    if (testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace quorate::txn
