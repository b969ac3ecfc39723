#include "git/internal/store_context.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/digest.h"

namespace quorate::git::internal {
namespace {

// Two pushes bring the same pack again and again; what one discards is never what the other has
// just moved into place.
TEST(StagedPacksTest, DiscardingNeverTakesWhatAnotherPushBrought) {
  const Sha256Digest digest = Sha256("pack");
  StagedPacks packs;
  std::atomic<bool> exists = false;
  std::atomic<int> missing = 0;

  const auto push = [&] {
    for (int i = 0; i < 20000; ++i) {
      packs.Hold(digest);
      exists = true;
      std::this_thread::yield();
      missing += exists ? 0 : 1;
      const Status discarded = packs.Discard(digest, [&]() -> Status {
        exists = false;
        return Ok();
      });
      missing += discarded ? 0 : 1;
    }
  };
  std::thread other(push);
  push();
  other.join();

  EXPECT_EQ(missing, 0);
  EXPECT_FALSE(packs.IsNeeded(digest));
}

}  // namespace
}  // namespace quorate::git::internal
