#include "txn/internal/conflict_window.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/testing/seeds.h"

namespace quorate::txn::internal {
namespace {

using Write = ConflictWindow::Write;

TransactionId IdAt(Lsn lsn) {
  return {.bytes = "transaction " + std::to_string(lsn.value)};
}

std::string Found(const ConflictWindow& window, std::string_view key, Lsn snapshot) {
  const auto* version = window.FindAfter(key, snapshot);
  return version == nullptr
             ? "-"
             : std::to_string(version->lsn.value) + "=" + version->value.value_or("(none)");
}

TEST(ConflictWindowTest, TheNewestVersionAboveTheSnapshotCounts) {
  ConflictWindow window(Lsn{5});
  window.Add(Lsn{6}, IdAt(Lsn{6}), {{"a", "1"}});
  window.Add(Lsn{8}, IdAt(Lsn{8}), {{"a", "2"}, {"b", std::nullopt}});

  EXPECT_EQ(Found(window, "a", Lsn{5}), "8=2");
  EXPECT_EQ(Found(window, "a", Lsn{7}), "8=2");
  EXPECT_EQ(Found(window, "a", Lsn{8}), "-");
  EXPECT_EQ(Found(window, "b", Lsn{6}), "8=(none)");
  EXPECT_EQ(Found(window, "c", Lsn{5}), "-");
}

// Quadratic work here would hold up the partition for minutes.
TEST(ConflictWindowTest, AHotKeyIsForgottenInLinearTime) {
  constexpr std::uint64_t kVersions = 400'000;
  ConflictWindow window(Lsn{5});
  for (std::uint64_t i = 1; i <= kVersions; ++i) {
    window.Add(Lsn{5 + i}, IdAt(Lsn{5 + i}), {{"a", "value"}});
  }

  window.Evict(Lsn{5 + kVersions - 2});
  EXPECT_EQ(window.size(), 2u);
  window.DropFrom(Lsn{5 + kVersions});
  EXPECT_EQ(window.size(), 1u);
  EXPECT_EQ(Found(window, "a", window.floor()), std::to_string(5 + kVersions - 1) + "=value");
  window.Evict(Lsn{5 + kVersions - 1});
  EXPECT_EQ(window.size(), 0u);
}

TEST(ConflictWindowTest, DroppedProposalsUncoverWhatTheyOverwrote) {
  ConflictWindow window(Lsn{5});
  window.Add(Lsn{6}, IdAt(Lsn{6}), {{"a", "1"}});
  window.Add(Lsn{7}, IdAt(Lsn{7}), {{"a", "2"}, {"b", "2"}});
  window.Add(Lsn{8}, IdAt(Lsn{8}), {{"a", "3"}});

  window.DropFrom(Lsn{7});

  EXPECT_EQ(Found(window, "a", Lsn{5}), "6=1");
  EXPECT_EQ(Found(window, "b", Lsn{5}), "-");
  EXPECT_EQ(window.size(), 1u);
  window.Add(Lsn{7}, IdAt(Lsn{7}), {{"b", "4"}});  // Another leader's entry takes the place.
  EXPECT_EQ(Found(window, "b", Lsn{5}), "7=4");
}

TEST(ConflictWindowTest, OfAKeyThatAnEntryWritesTwiceTheLastCounts) {
  ConflictWindow window(Lsn{5});
  window.Add(Lsn{6}, IdAt(Lsn{6}), {{"a", "1"}, {"a", "2"}});

  EXPECT_EQ(Found(window, "a", Lsn{5}), "6=2");
  window.DropFrom(Lsn{6});
  EXPECT_EQ(window.size(), 0u);
}

// Every version ever added, looked through from end to end.
class SlowWindow {
 public:
  void Add(Lsn lsn, const std::vector<Write>& writes) {
    for (const Write& write : writes) {
      versions_[lsn][write.key] = write.value;
    }
  }
  void DropFrom(Lsn lsn) { versions_.erase(versions_.lower_bound(lsn), versions_.end()); }
  void Evict(Lsn lsn) { versions_.erase(versions_.begin(), versions_.upper_bound(lsn)); }

  std::string Found(const std::string& key, Lsn snapshot) const {
    std::string found = "-";
    for (const auto& [lsn, writes] : versions_) {
      if (lsn > snapshot && writes.contains(key)) {
        found = std::to_string(lsn.value) + "=" + writes.at(key).value_or("(none)");
      }
    }
    return found;
  }
  std::size_t size() const {
    std::size_t size = 0;
    for (const auto& [lsn, writes] : versions_) {
      size += writes.size();
    }
    return size;
  }

 private:
  std::map<Lsn, std::map<std::string, std::optional<std::string>>> versions_;
};

void PlayAgainstModel(std::uint64_t seed) {
  Prng prng(seed);
  ConflictWindow window(Lsn{5});
  SlowWindow slow;
  Lsn last{5};
  const auto random_key = [&prng] {
    return std::string(1 + prng.Below(2), static_cast<char>('a' + prng.Below(4)));
  };
  for (int step = 0; step < 300; ++step) {
    const std::uint64_t dice = prng.Below(10);
    if (dice < 6) {
      last = Lsn{last.value + 1 + prng.Below(2)};
      std::vector<Write> writes;
      for (std::uint64_t n = prng.Below(4); n > 0; --n) {
        writes.push_back(
            {random_key(), prng.OneIn(3) ? std::nullopt : std::optional(std::to_string(step))});
      }
      slow.Add(last, writes);
      window.Add(last, IdAt(last), std::move(writes));
    } else if (dice == 6) {
      const Lsn from{window.floor().value + 1 + prng.Below(last.value - window.floor().value + 1)};
      slow.DropFrom(from);
      window.DropFrom(from);
      last = std::min(last, Lsn{from.value - 1});
    } else if (dice == 7 && last > window.floor()) {
      const Lsn upto{window.floor().value + prng.Below(last.value - window.floor().value)};
      slow.Evict(upto);
      window.Evict(upto);
    }
    const Lsn snapshot{window.floor().value + prng.Below(last.value - window.floor().value + 1)};
    const std::string key = random_key();
    ASSERT_EQ(Found(window, key, snapshot), slow.Found(key, snapshot)) << key;
    ASSERT_EQ(window.size(), slow.size());
    std::string first_with_a = "-";
    window.ForEachAfter("a", snapshot, [&](std::string_view name, const ConflictWindow::Version&) {
      first_with_a = std::string(name);
      return false;
    });
    const std::string expected = slow.Found("a", snapshot) != "-"    ? "a"
                                 : slow.Found("aa", snapshot) != "-" ? "aa"
                                                                     : "-";
    ASSERT_EQ(first_with_a, expected);
  }
}

TEST(ConflictWindowTest, KnowsWhoseEntryAVersionIs) {
  ConflictWindow window(Lsn{5});
  window.Add(Lsn{6}, IdAt(Lsn{6}), {{"a", "1"}});
  window.Add(Lsn{9}, IdAt(Lsn{9}), {{"a", "2"}});
  window.Add(Lsn{12}, IdAt(Lsn{12}), {{"b", "3"}});
  window.Evict(Lsn{6});

  EXPECT_EQ(window.TransactionAt(window.FindAfter("a", Lsn{6})->lsn), IdAt(Lsn{9}));
  EXPECT_EQ(window.TransactionAt(window.FindAfter("b", Lsn{6})->lsn), IdAt(Lsn{12}));
}

TEST(ConflictWindowTest, AgreesWithASlowModel) {
  const Seeds seeds = ChooseSeeds(1, 200);
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    SCOPED_TRACE("QUORATE_SEED=" + std::to_string(seed));
    PlayAgainstModel(seed);
    if (HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace quorate::txn::internal
