#include "raft/internal/delivery_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>

#include "base/prng.h"
#include "base/testing/seeds.h"

namespace quorate::raft::internal {
namespace {

constexpr std::size_t kMax = 10'000;

TEST(DeliveryWindowTest, OneEntryAlwaysFits) {
  DeliveryWindow window(kMax);
  window.Reset(Lsn{5});
  EXPECT_GT(window.room(), 0U);
  EXPECT_TRUE(window.Take(kMax * 3));
  EXPECT_EQ(window.delivered(), Lsn{6});
  EXPECT_FALSE(window.Take(0));
  EXPECT_EQ(window.Applied(Lsn{6}), kMax * 3);
  EXPECT_EQ(window.unapplied_bytes(), 0U);
}

TEST(DeliveryWindowTest, HoldsBackWhatIsCommittedAndDoesNotFit) {
  DeliveryWindow window(kMax);
  window.Reset(Lsn{5});
  EXPECT_TRUE(window.Take(6'000));
  window.Committed(Lsn{6});
  EXPECT_FALSE(window.holds_back());
  EXPECT_FALSE(window.Take(6'000));
  window.Committed(Lsn{7});
  EXPECT_TRUE(window.holds_back());
}

// Or an entry larger than what is free would be read from the disk again and again.
TEST(DeliveryWindowTest, HasNoRoomUntilTheEntryThatWasRefusedFits) {
  DeliveryWindow window(kMax);
  window.Reset(Lsn{5});
  EXPECT_TRUE(window.Take(1'000));
  EXPECT_TRUE(window.Take(1'000));
  EXPECT_FALSE(window.Take(kMax));
  EXPECT_EQ(window.room(), 0U);
  window.Applied(Lsn{6});
  EXPECT_EQ(window.room(), 0U);
  window.Applied(Lsn{7});
  EXPECT_GT(window.room(), 0U);
  EXPECT_TRUE(window.Take(kMax));
}

TEST(DeliveryWindowTest, AgreesWithAListOfSizes) {
  const Seeds seeds = ChooseSeeds(1, 50);
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    Prng prng(seed);
    DeliveryWindow window(kMax);
    window.Reset(Lsn{5});
    std::deque<std::size_t> held;
    std::uint64_t applied = 5;
    for (int step = 0; step < 500; ++step) {
      if (prng.OneIn(3)) {
        const std::uint64_t count = prng.Below(held.size() + 1);
        std::size_t bytes = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
          bytes += held.front();
          held.pop_front();
        }
        applied += count;
        ASSERT_EQ(window.Applied(Lsn{applied}), bytes) << "QUORATE_SEED=" << seed;
        continue;
      }
      const auto size = static_cast<std::size_t>(prng.Below(prng.OneIn(10) ? 2 * kMax : 500));
      if (window.Take(size)) {
        held.push_back(size);
      } else {
        ASSERT_FALSE(held.empty()) << "QUORATE_SEED=" << seed;
      }
      std::size_t sum = 0;
      for (const std::size_t one : held) {
        sum += one;
      }
      ASSERT_GE(window.unapplied_bytes(), sum) << "QUORATE_SEED=" << seed;
      ASSERT_TRUE(window.unapplied_bytes() <= kMax || held.size() == 1) << "QUORATE_SEED=" << seed;
      ASSERT_EQ(window.delivered(), Lsn{applied + held.size()}) << "QUORATE_SEED=" << seed;
    }
  }
}

}  // namespace
}  // namespace quorate::raft::internal
