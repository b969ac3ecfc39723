// The storm of testing/fuzz.h over many seeds, and proof that it would notice what it looks for.
//
// QUORATE_SEED=N runs that seed alone; QUORATE_SEEDS=N runs so many.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "raft/testing/fuzz.h"

namespace quorate::raft {
namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr std::uint64_t kSeedsToNotice = 60;  // A planted fault must show within so many.

std::uint64_t Setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(ReplicaFuzzTest, NothingIsLostInAStorm) {
  const std::uint64_t only = Setting("QUORATE_SEED", 0);
  const std::uint64_t first = only == 0 ? 1 : only;
  const std::uint64_t count = only == 0 ? Setting("QUORATE_SEEDS", kSeeds) : 1;
  FuzzResult sum;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const FuzzResult result = RunFuzz({.seed = seed});
    ASSERT_FALSE(result.violation.has_value())
        << *result.violation << " (QUORATE_SEED=" << seed << ")";
    sum.acknowledged += result.acknowledged;
    sum.crashes += result.crashes;
    sum.reads += result.reads;
    sum.leaderships += result.leaderships;
    sum.transfers += result.transfers;
  }
  RecordProperty("acknowledged", sum.acknowledged);
  RecordProperty("crashes", sum.crashes);
  RecordProperty("reads", sum.reads);
  RecordProperty("leaderships", sum.leaderships);
  RecordProperty("transfers", sum.transfers);
  if (only == 0) {  // A storm in which nothing happens proves nothing.
    const auto per_seed = [count](int total) { return total / static_cast<int>(count); };
    EXPECT_GE(per_seed(sum.acknowledged), 100);
    EXPECT_GE(per_seed(sum.reads), 20);
    EXPECT_GE(per_seed(sum.leaderships), 3);
    EXPECT_GE(per_seed(sum.crashes), 3);
  }
}

TEST(ReplicaFuzzTest, FiveReplicasToo) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const FuzzResult result = RunFuzz({.seed = seed, .replicas = 5});
    ASSERT_FALSE(result.violation.has_value()) << *result.violation << " (seed " << seed << ")";
  }
}

TEST(ReplicaFuzzTest, AloneToo) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const FuzzResult result = RunFuzz({.seed = seed, .replicas = 1});
    ASSERT_FALSE(result.violation.has_value()) << *result.violation << " (seed " << seed << ")";
  }
}

TEST(ReplicaFuzzTest, TheSameSeedIsTheSameRun) {
  EXPECT_EQ(RunFuzz({.seed = 5}).digest, RunFuzz({.seed = 5}).digest);
  EXPECT_NE(RunFuzz({.seed = 5}).digest, RunFuzz({.seed = 6}).digest);
}

// Each planted fault must turn some seed red, else the storm is blind to it.
void ExpectNoticed(FuzzOptions options) {
  std::string seen;
  for (options.seed = 1; options.seed <= kSeedsToNotice; ++options.seed) {
    const FuzzResult result = RunFuzz(options);
    if (result.violation) {
      testing::Test::RecordProperty("noticed_at_seed", static_cast<int>(options.seed));
      testing::Test::RecordProperty("noticed_as", *result.violation);
      return;
    }
  }
  ADD_FAILURE() << "not noticed in " << kSeedsToNotice << " seeds";
}

TEST(ReplicaFuzzTest, NoticesPromisesSentBeforeTheyAreDurable) {
  ExpectNoticed({.unsafe = {.send_before_persist = true}});
}

TEST(ReplicaFuzzTest, NoticesHardStateWrittenApart) {
  ExpectNoticed({.unsafe = {.split_hard_state = true}});
}

TEST(ReplicaFuzzTest, NoticesSkippedSyncs) {
  ExpectNoticed({.unsafe = {.skip_sync = true}});
}

TEST(ReplicaFuzzTest, NoticesReadsNobodyConfirmed) {
  ExpectNoticed({.unsafe = {.answer_reads_locally = true}});
}

TEST(ReplicaFuzzTest, NoticesAcknowledgementsBeforeTheCommit) {
  ExpectNoticed({.acknowledge_at_append = true});
}

}  // namespace
}  // namespace quorate::raft
