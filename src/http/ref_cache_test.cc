#include "http/ref_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "env/testing/fake_metrics.h"

namespace quorate::http {
namespace {

constexpr RefCache::Version kFirst{.changed = Lsn{1}, .read_at = Lsn{1}};

class RefCacheTest : public ::testing::Test {
 protected:
  // What the cache answers, and "!" before it if it had to be rendered.
  std::string Get(const std::string& key, std::uint64_t version, const std::string& text) {
    bool rendered = false;
    const RefCache::Version at{.changed = Lsn{version}, .read_at = Lsn{version}};
    const auto answer = cache_.GetOrRender(key, at, [&]() -> Result<std::string> {
      rendered = true;
      return text;
    });
    return (rendered ? "!" : "") + **answer;
  }

  env::FakeMetrics metrics_;
  env::Counter& hits_ = metrics_.GetCounter("hits", "", {});
  env::Counter& misses_ = metrics_.GetCounter("misses", "", {});
  RefCache cache_{100, hits_, misses_};
};

TEST_F(RefCacheTest, AnAnswerIsRenderedOncePerVersion) {
  EXPECT_EQ(Get("a", 1, "one"), "!one");
  EXPECT_EQ(Get("a", 1, "ignored"), "one");
  EXPECT_EQ(Get("a", 2, "two"), "!two");
  EXPECT_EQ(Get("b", 2, "other"), "!other");

  EXPECT_EQ(metrics_.Value("hits"), 1);
  EXPECT_EQ(metrics_.Value("misses"), 3);
}

TEST_F(RefCacheTest, AnOlderSnapshotDoesNotReplaceANewerAnswer) {
  Get("a", 2, "two");

  EXPECT_EQ(Get("a", 1, "one"), "!one");
  EXPECT_EQ(Get("a", 2, "ignored"), "two");
}

TEST_F(RefCacheTest, AnAnswerIsCurrentUpToTheLsnAtWhichItWasLastFoundGood) {
  Get("a", 3, "three");
  EXPECT_EQ(*cache_.FindCurrent("a", Lsn{3}), "three");
  EXPECT_EQ(cache_.FindCurrent("a", Lsn{4}), nullptr);
  EXPECT_EQ(cache_.FindCurrent("b", Lsn{3}), nullptr);

  const auto never = []() -> Result<std::string> { return Error(Code::kInternal, "rendered"); };
  ASSERT_TRUE(cache_.GetOrRender("a", {.changed = Lsn{3}, .read_at = Lsn{9}}, never));
  ASSERT_TRUE(cache_.GetOrRender("a", {.changed = Lsn{3}, .read_at = Lsn{5}}, never));

  EXPECT_EQ(*cache_.FindCurrent("a", Lsn{9}), "three");
  EXPECT_EQ(cache_.FindCurrent("a", Lsn{10}), nullptr);
  EXPECT_EQ(metrics_.Value("hits"), 4);
}

TEST_F(RefCacheTest, TheLeastRecentlyUsedAnswersGoFirst) {
  const std::string forty(40, 'x');
  Get("a", 1, forty);
  Get("b", 1, forty);
  Get("a", 1, forty);

  Get("c", 1, forty);

  EXPECT_EQ(Get("a", 1, forty), forty);
  EXPECT_EQ(Get("c", 1, forty), forty);
  EXPECT_EQ(Get("b", 1, forty), "!" + forty);
  EXPECT_LE(cache_.bytes(), 100U);
}

TEST_F(RefCacheTest, AnAnswerLargerThanTheCacheIsGivenAndNotKept) {
  const std::string large(101, 'x');
  Get("a", 1, "small");

  EXPECT_EQ(Get("b", 1, large), "!" + large);
  EXPECT_EQ(Get("b", 1, large), "!" + large);
  EXPECT_EQ(Get("a", 1, "ignored"), "small");
}

TEST_F(RefCacheTest, AFailureIsTheCallersAndIsNotRemembered) {
  const auto failed = cache_.GetOrRender(
      "a", kFirst, []() -> Result<std::string> { return Error(Code::kCorruption, "planted"); });

  EXPECT_EQ(failed.error().code(), Code::kCorruption);
  EXPECT_EQ(Get("a", 1, "one"), "!one");
}

TEST_F(RefCacheTest, WhoeverAsksWhileItIsRenderedWaitsForThat) {
  std::atomic<int> renders = 0;
  std::promise<void> rendering;
  std::promise<void> go;
  std::thread first([&] {
    const auto answer = cache_.GetOrRender("a", kFirst, [&]() -> Result<std::string> {
      renders += 1;
      rendering.set_value();
      go.get_future().wait();
      return std::string("one");
    });
    EXPECT_EQ(**answer, "one");
  });
  rendering.get_future().wait();

  std::thread second([&] {
    const auto answer = cache_.GetOrRender("a", kFirst, [&]() -> Result<std::string> {
      renders += 1;
      return std::string("twice");
    });
    EXPECT_EQ(**answer, "one");
  });
  go.set_value();
  first.join();
  second.join();

  EXPECT_EQ(renders, 1);
}

}  // namespace
}  // namespace quorate::http
