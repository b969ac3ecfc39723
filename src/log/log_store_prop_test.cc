// LogStore against a slow twin, with random schedules and crashes: after a restart each partition's
// log is one of the states that its requests went through, and none older than what was
// acknowledged.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/testing/seeds.h"
#include "log/testing/log_world.h"

namespace quorate::log {
namespace {

constexpr std::uint64_t kSeeds = 250;
constexpr int kPartitions = 3;

struct State {
  std::vector<consensus::Entry> entries;
  Position truncated = kBootstrapPosition;
  consensus::HardState hard_state{.term = Term{1}, .vote = {}, .commit = Lsn{5}};
  std::string conf_state;

  Lsn last() const { return entries.empty() ? truncated.lsn : entries.back().lsn; }
  friend bool operator==(const State&, const State&) = default;
};

struct Partition {
  PartitionId id;
  std::unique_ptr<env::Strand> strand{};
  std::vector<State> states{};   // After each request that was issued, the first one durable.
  std::size_t acknowledged = 0;  // Index of the newest state known to be durable.
};

class Driver {
 public:
  explicit Driver(std::uint64_t seed) : prng_(seed), world_(seed) {
    for (std::uint64_t i = 1; i <= kPartitions; ++i) {
      partitions_.push_back({.id = PartitionId{i}, .strand = world_.env().NewStrand()});
      EXPECT_TRUE(world_.store().Bootstrap(PartitionId{i}, {.replica = ReplicaId{1}}, ""));
      partitions_.back().states.emplace_back();
    }
  }

  void Turn() {
    Issue(partitions_[prng_.Below(kPartitions)]);
    for (std::uint64_t i = prng_.Below(4); i > 0; --i) {
      world_.env().RunOne();
    }
    if (prng_.OneIn(60)) {
      world_.disk().FailNextSync();
    }
    if (prng_.OneIn(40) || !world_.fatal().empty()) {
      CrashAndCheck();
    }
  }

  void CrashAndCheck() {
    if (prng_.OneIn(2)) {
      world_.env().RunUntilIdle();
    }
    world_.Crash(prng_);
    ++life_;
    world_.env().RunUntilIdle();
    for (Partition& partition : partitions_) {
      Check(partition);
    }
  }

  int recovered_beyond_acknowledged = 0;  // How often a crash kept more than it had to.

 private:
  void Issue(Partition& partition) {
    State next = partition.states.back();
    if (next.last() > next.truncated.lsn && prng_.OneIn(8)) {
      Truncate(partition, next);
    } else if (prng_.OneIn(10)) {
      next.conf_state = std::to_string(prng_.Next());
      world_.store().SaveConfState(partition.id, next.hard_state, next.conf_state,
                                   next.hard_state.commit);
    } else {
      Persist(partition, next);
    }
    partition.states.push_back(std::move(next));
  }

  void Truncate(Partition& partition, State& next) {
    const std::size_t count = 1 + prng_.Below(next.entries.size());
    next.truncated = next.entries[count - 1].position();
    next.entries.erase(next.entries.begin(),
                       next.entries.begin() + static_cast<std::ptrdiff_t>(count));
    next.hard_state.commit = std::max(next.hard_state.commit, next.truncated.lsn);
    // The commit that allows it goes first, as in the product.
    State before = partition.states.back();
    before.hard_state = next.hard_state;
    world_.store().Persist(
        {.partition = partition.id, .hard_state = next.hard_state, .must_sync = false},
        *partition.strand, [] {});
    partition.states.push_back(std::move(before));
    world_.store().TruncatePrefix(partition.id, next.truncated);
  }

  // Entries at the end or over an uncommitted tail, or only a hard state.
  void Persist(Partition& partition, State& next) {
    PersistRequest request{.partition = partition.id};
    const std::uint64_t committed = next.hard_state.commit.value;
    Lsn first = next.last().Next();
    if (prng_.OneIn(5)) {
      first.value = committed + 1 + prng_.Below(first.value - committed);
      next.hard_state.term = next.hard_state.term.Next();
    }
    const std::uint64_t count = prng_.Below(4);
    for (Lsn lsn = first; lsn.value < first.value + count; lsn = lsn.Next()) {
      request.entries.push_back(
          {.lsn = lsn, .term = next.hard_state.term, .data = std::string(prng_.Below(50), 'x')});
    }
    if (count > 0) {
      std::erase_if(next.entries, [first](const auto& entry) { return entry.lsn >= first; });
      next.entries.insert(next.entries.end(), request.entries.begin(), request.entries.end());
    }
    if (prng_.OneIn(3)) {
      next.hard_state.commit.value = committed + prng_.Below(next.last().value - committed + 1);
    }
    request.hard_state = next.hard_state;
    const std::size_t index = partition.states.size();
    const int life = life_;
    world_.store().Persist(std::move(request), *partition.strand, [this, &partition, index, life] {
      if (life == life_) {
        EXPECT_GT(index, partition.acknowledged);
        partition.acknowledged = index;
      }
    });
  }

  void Check(Partition& partition) {
    const State found = Load(partition.id);
    auto known = partition.states.end();
    while (known != partition.states.begin() && !(*(known - 1) == found)) {
      --known;
    }
    ASSERT_NE(known, partition.states.begin()) << "a state that never was";
    const auto index = static_cast<std::size_t>(known - partition.states.begin()) - 1;
    EXPECT_GE(index, partition.acknowledged) << "an acknowledged request is lost";
    recovered_beyond_acknowledged += index > partition.acknowledged ? 1 : 0;
    partition.states = {found};
    partition.acknowledged = 0;
  }

  State Load(PartitionId id) {
    const Result<StoredLog> stored = world_.store().Load(id);
    EXPECT_TRUE(stored) << stored.error().ToString();
    State state;
    state.truncated = stored->truncated;
    state.hard_state = stored->hard_state;
    state.conf_state = stored->conf_state;
    if (stored->last > stored->truncated.lsn) {
      state.entries = world_.store()
                          .Read(id, stored->truncated.lsn.Next(), stored->last.Next(), 1 << 20)
                          .value();
    }
    return state;
  }

  Prng prng_;
  LogWorld world_;
  std::vector<Partition> partitions_;
  int life_ = 0;
};

TEST(LogStoreProperty, CrashesLoseNothingAcknowledgedAndInventNothing) {
  const Seeds seeds = ChooseSeeds(1, kSeeds);
  std::uint64_t beyond = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    SCOPED_TRACE(testing::Message() << "QUORATE_SEED=" << seed);
    Driver driver(seed);
    for (int turn = 0; turn < 100; ++turn) {
      driver.Turn();
    }
    driver.CrashAndCheck();
    beyond += static_cast<std::uint64_t>(driver.recovered_beyond_acknowledged);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  if (!seeds.chosen) {
    EXPECT_GT(beyond, seeds.count * 2 / 5);  // The disk did keep unsynced batches at times.
  }
}

}  // namespace
}  // namespace quorate::log
