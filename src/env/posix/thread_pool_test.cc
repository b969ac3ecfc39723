#include "env/posix/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <latch>
#include <vector>

namespace quorate::env {
namespace {

TEST(ThreadPoolTest, StrandRunsTasksInOrderOneAtATime) {
  ThreadPool pool({.name = "test", .threads = 4});
  const std::unique_ptr<Strand> strand = pool.NewStrand();
  std::vector<int> seen;  // Unsynchronised on purpose: the strand is what protects it.
  std::latch done(1);

  for (int i = 0; i < 1000; ++i) {
    strand->Post([&, i] {
      strand->AssertCurrent();
      seen.push_back(i);
    });
  }
  strand->Post([&] { done.count_down(); });
  done.wait();

  ASSERT_EQ(seen.size(), 1000U);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
  }
}

TEST(ThreadPoolTest, StopRunsWhatWasPostedBefore) {
  ThreadPool pool({.name = "test", .threads = 2});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100; ++i) {
    pool.Post([&] { ++ran; });
  }

  pool.Stop();

  EXPECT_EQ(ran, 100);
}

// Each of a burst meets the others, so the burst needs all the threads at once.
TEST(ThreadPoolTest, ABurstWakesAsManyThreadsAsItNeeds) {
  constexpr int kThreads = 4;
  struct Burst {
    std::latch met{kThreads};
    std::latch done{kThreads};
  };
  std::deque<Burst> bursts;  // Each outlives the threads that count it down.
  ThreadPool pool({.name = "test", .threads = kThreads});
  for (int round = 0; round < 200; ++round) {
    Burst& burst = bursts.emplace_back();
    for (int i = 0; i < kThreads; ++i) {
      pool.Post([&burst] {
        burst.met.arrive_and_wait();
        burst.done.count_down();
      });
    }
    burst.done.wait();
  }
}

TEST(ThreadPoolTest, PostAfterStopDestroysTheTask) {
  ThreadPool pool({.name = "test", .threads = 1});
  pool.Stop();
  const auto witness = std::make_shared<int>(0);

  pool.Post([witness] { FAIL(); });

  EXPECT_EQ(witness.use_count(), 1);
}

TEST(ThreadPoolDeathTest, AssertCurrentAbortsOffTheStrand) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ThreadPool pool({.name = "test", .threads = 1});
        pool.NewStrand()->AssertCurrent();
      },
      "check failed");
}

}  // namespace
}  // namespace quorate::env
