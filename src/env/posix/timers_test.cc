#include "env/posix/timers.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <string>
#include <vector>

#include "env/posix/thread_pool.h"

namespace quorate::env {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class PosixTimersTest : public testing::Test {
 protected:
  // Runs `task` on the strand and waits for it.
  void OnStrand(Task task) {
    std::latch done(1);
    strand_->Post([&] {
      std::move(task)();
      done.count_down();
    });
    done.wait();
  }

  ThreadPool pool_{{.name = "test", .threads = 2}};
  std::unique_ptr<Strand> strand_ = pool_.NewStrand();
  PosixTimers timers_;
};

TEST_F(PosixTimersTest, FiresOnItsStrandNotBeforeItsTime) {
  std::promise<std::chrono::steady_clock::time_point> fired;
  const auto begun = std::chrono::steady_clock::now();

  const auto timer = timers_.After(milliseconds(5), *strand_, [&] {
    strand_->AssertCurrent();
    fired.set_value(std::chrono::steady_clock::now());
  });

  EXPECT_GE(fired.get_future().get() - begun, milliseconds(5));
}

TEST_F(PosixTimersTest, FireInTheOrderInWhichTheyAreDue) {
  std::vector<std::string> order;
  std::latch all(3);
  const auto note = [&](std::string name) {
    return [&, name = std::move(name)] {
      order.push_back(name);
      all.count_down();
    };
  };

  const auto third = timers_.After(milliseconds(30), *strand_, note("third"));
  const auto first = timers_.After(milliseconds(-1), *strand_, note("first"));
  const auto second = timers_.After(milliseconds(15), *strand_, note("second"));
  all.wait();

  EXPECT_EQ(order, (std::vector<std::string>{"first", "second", "third"}));
}

TEST_F(PosixTimersTest, DestroyingOneCancelsIt) {
  std::promise<void> second_fired;
  auto cancelled = timers_.After(milliseconds(5), *strand_, [] { FAIL(); });
  const auto kept = timers_.After(milliseconds(10), *strand_, [&] { second_fired.set_value(); });

  cancelled.reset();

  second_fired.get_future().wait();
}

// The timer is due and its task already waits in the strand's queue when it is cancelled there.
TEST_F(PosixTimersTest, CancelledOnItsOwnStrandItNeverRunsEvenWhenPosted) {
  bool ran = false;
  std::unique_ptr<Timer> timer;
  OnStrand([&] {
    timer = timers_.After(milliseconds(0), *strand_, [&] { ran = true; });
    std::promise<void> later;  // Fires elsewhere after the first was posted: timers keep order.
    const auto other = pool_.NewStrand();
    const auto marker = timers_.After(milliseconds(1), *other, [&] { later.set_value(); });
    later.get_future().wait();
    timer.reset();
  });

  OnStrand([] {});

  EXPECT_FALSE(ran);
}

TEST_F(PosixTimersTest, CancellingReleasesWhatTheTaskHolds) {
  const auto witness = std::make_shared<int>(0);
  auto timer = timers_.After(hours(24 * 365 * 200), *strand_, [witness] { FAIL(); });
  ASSERT_EQ(witness.use_count(), 2);

  timer.reset();

  EXPECT_EQ(witness.use_count(), 1);
}

TEST_F(PosixTimersTest, TimersMayOutliveTheThread) {
  auto own = std::make_unique<PosixTimers>();
  auto timer = own->After(hours(1), *strand_, [] { FAIL(); });

  own.reset();
  timer.reset();
}

}  // namespace
}  // namespace quorate::env
