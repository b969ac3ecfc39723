#include "kv/group_writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "env/posix/thread_pool.h"
#include "env/testing/manual_env.h"
#include "kv/testing/memory_store.h"

namespace quorate::kv {
namespace {

WriteBatch Put(std::string key) {
  WriteBatch batch;
  batch.Put(Family::kState, std::move(key), "value");
  return batch;
}

class GroupWriterTest : public ::testing::Test {
 protected:
  void Make(GroupWriterOptions options) {
    writer_ = std::make_unique<GroupWriter>(store_, env_.NewStrand(), options);
  }

  void Write(const std::string& key) {
    writer_->Write(Put(key), [this, key](const Status& status) {
      answers_.push_back(key + (status ? "" : " failed"));
    });
  }

  // While the store is at the write of "first".
  template <class Work>
  void DuringAWrite(Work work) {
    store_.SetWriteGate([this, work] {
      store_.SetWriteGate(nullptr);
      work();
      return true;
    });
    Write("first");
  }

  bool IsStored(const std::string& key) const {
    return store_.Get(Family::kState, key).value().has_value();
  }

  using Answers = std::vector<std::string>;

  env::ManualEnv env_;
  MemoryStore store_;
  std::unique_ptr<GroupWriter> writer_ = std::make_unique<GroupWriter>(store_, env_.NewStrand());
  Answers answers_;
};

TEST_F(GroupWriterTest, AloneABatchIsWrittenAtOnce) {
  Write("a");

  EXPECT_EQ(answers_, Answers{"a"});
  EXPECT_TRUE(IsStored("a"));
  EXPECT_EQ(store_.syncs(), 0U);
}

TEST_F(GroupWriterTest, WhatComesDuringAWriteSharesTheNext) {
  DuringAWrite([this] {
    Write("b");
    Write("c");
    EXPECT_EQ(answers_, Answers{});
  });
  EXPECT_EQ(answers_, Answers{"first"}) << "its thread does not work for others";
  EXPECT_FALSE(IsStored("b"));

  env_.RunUntilIdle();

  EXPECT_EQ(answers_, (Answers{"first", "b", "c"}));
  EXPECT_TRUE(IsStored("b") && IsStored("c"));
  EXPECT_EQ(store_.writes(), 2U);
  Write("d");
  EXPECT_EQ(answers_.back(), "d") << "alone again";
}

TEST_F(GroupWriterTest, AFailureIsToldToAllThatSharedTheWrite) {
  DuringAWrite([this] {
    Write("b");
    Write("c");
  });
  store_.FailNextWrite();

  env_.RunUntilIdle();

  EXPECT_EQ(answers_, (Answers{"first", "b failed", "c failed"}));
}

TEST_F(GroupWriterTest, OneWriteCarriesNoMoreThanItMay) {
  Make({.group_bytes_max = 1});
  DuringAWrite([this] {
    Write("b");
    Write("c");
  });

  env_.RunUntilIdle();

  EXPECT_EQ(answers_, (Answers{"first", "b", "c"}));
  EXPECT_EQ(store_.writes(), 3U);
}

TEST_F(GroupWriterTest, WhenTooMuchWaitsWhoeverComesGoesToTheStore) {
  Make({.waiting_bytes_max = 1});
  DuringAWrite([this] {
    Write("b");
    Write("c");
    EXPECT_EQ(answers_, Answers{"c"});
  });

  env_.RunUntilIdle();

  EXPECT_EQ(answers_, (Answers{"c", "first", "b"}));
}

TEST_F(GroupWriterTest, WhatWaitsIsDroppedWithItsOwner) {
  DuringAWrite([this] { Write("b"); });

  writer_.reset();
  env_.RunUntilIdle();

  EXPECT_EQ(answers_, Answers{"first"});
  EXPECT_FALSE(IsStored("b"));
}

TEST(GroupWriterThreadsTest, EveryBatchIsWrittenAndAnsweredOnce) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 500;
  std::latch answered(std::ptrdiff_t{kThreads} * kBatches);  // Outlives whoever counts it down.
  MemoryStore store;
  env::ThreadPool pool({.name = "storage", .threads = 2});
  GroupWriter writer(store, pool.NewStrand(), {.group_bytes_max = 64, .waiting_bytes_max = 256});
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < kBatches; ++n) {
        writer.Write(Put(std::to_string(i) + "-" + std::to_string(n)), [&](const Status& status) {
          EXPECT_TRUE(status);
          answered.count_down();
        });
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  answered.wait();

  for (int i = 0; i < kThreads; ++i) {
    for (int n = 0; n < kBatches; ++n) {
      EXPECT_TRUE(
          store.Get(Family::kState, std::to_string(i) + "-" + std::to_string(n))->has_value());
    }
  }
}

}  // namespace
}  // namespace quorate::kv
