#include "raft/internal/log_view.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/manual_env.h"
#include "kv/testing/memory_store.h"

namespace quorate::raft::internal {
namespace {

using consensus::Entry;
using consensus::EntryView;

constexpr PartitionId kPartition{3};

class Collector final : public consensus::EntrySink {
 public:
  void Push(const EntryView& entry) override {
    text += (text.empty() ? "" : " ") + std::to_string(entry.lsn.value) + "/" +
            std::to_string(entry.term.value) + std::string(entry.data);
  }
  std::string text;
};

// A log that ends at LSN 8, of which 6..8 are in the store and nothing is in the cache.
class LogViewTest : public testing::Test {
 protected:
  void SetUp() override {
    consensus::ConfState conf;
    conf.voters = {ReplicaId{1}};
    ASSERT_TRUE(store_.Bootstrap(kPartition, {.replica = ReplicaId{1}}, conf.Encode()));
    Store({{Lsn{6}, Term{2}, {}, "a"}, {Lsn{7}, Term{2}, {}, "b"}, {Lsn{8}, Term{3}, {}, "c"}});
    ASSERT_TRUE(view_.Open(*store_.Load(kPartition), {}, conf));
  }

  void Store(std::vector<Entry> entries) {
    const consensus::HardState hard_state{.term = Term{9}, .vote = {}, .commit = Lsn{5}};
    store_.Persist({.partition = kPartition, .entries = entries, .hard_state = hard_state},
                   *strand_, [] {});
    env_.RunUntilIdle();
  }

  std::string Read(std::uint64_t low, std::uint64_t high, std::uint64_t bytes_max = 1 << 20) {
    Collector sink;
    const Status read = view_.Entries(Lsn{low}, Lsn{high}, bytes_max, sink);
    return read ? sink.text : std::string(CodeName(read.error().code()));
  }

  std::string TermAt(std::uint64_t lsn) {
    const Result<Term> term = view_.TermAt(Lsn{lsn});
    return term ? std::to_string(term->value) : std::string(CodeName(term.error().code()));
  }

  env::ManualEnv env_;
  env::NullLogger logger_;
  env::FakeMetrics metrics_;
  kv::MemoryStore kv_;
  std::unique_ptr<env::Strand> strand_ = env_.NewStrand();
  log::LogStore store_{kv_, env_.NewStrand(), {}, logger_, metrics_};
  LogView view_{kPartition, store_};
};

TEST_F(LogViewTest, ReadsAcrossStoreAndCache) {
  const std::vector<EntryView> entries = {{Lsn{9}, Term{3}, {}, "d"}, {Lsn{10}, Term{3}, {}, "e"}};
  ASSERT_TRUE(view_.Append(entries));

  EXPECT_EQ(Read(6, 11), "6/2a 7/2b 8/3c 9/3d 10/3e");
  EXPECT_EQ(Read(9, 10), "9/3d");
  EXPECT_EQ(Read(6, 11, 0), "6/2a");  // At least one.
  EXPECT_EQ(Read(6, 11, 40), "6/2a 7/2b 8/3c");
}

TEST_F(LogViewTest, AnswersOutsideTheLogAsTheEngineWantsThem) {
  EXPECT_EQ(Read(5, 7), "not_found");
  EXPECT_EQ(Read(8, 10), "unavailable");
  EXPECT_EQ(TermAt(4), "not_found");
  EXPECT_EQ(TermAt(5), "1");
  EXPECT_EQ(TermAt(7), "2");
  EXPECT_EQ(TermAt(9), "unavailable");
  EXPECT_EQ(*view_.FirstIndex(), Lsn{6});
  EXPECT_EQ(*view_.LastIndex(), Lsn{8});
}

TEST_F(LogViewTest, AConflictBelowTheCacheHidesTheStoredTail) {
  const std::vector<EntryView> entries = {{Lsn{7}, Term{4}, {}, "x"}};
  ASSERT_TRUE(view_.Append(entries));

  EXPECT_EQ(Read(6, 8), "6/2a 7/4x");
  EXPECT_EQ(TermAt(6), "2");
  EXPECT_EQ(TermAt(7), "4");
  EXPECT_EQ(Read(7, 9), "unavailable");
}

TEST_F(LogViewTest, RefusesAGap) {
  const std::vector<EntryView> entries = {{Lsn{10}, Term{4}, {}, "x"}};

  EXPECT_EQ(view_.Append(entries).error().code(), Code::kInternal);
}

TEST_F(LogViewTest, KeepsInMemoryWhatIsNotDurable) {
  const std::vector<EntryView> entries = {{Lsn{9}, Term{3}, {}, "d"}, {Lsn{10}, Term{3}, {}, "e"}};
  ASSERT_TRUE(view_.Append(entries));

  view_.Trim(/*applied=*/Lsn{10}, /*durable=*/Lsn{9}, /*bytes_max=*/0);

  EXPECT_EQ(view_.cache().size(), 1U);
  EXPECT_EQ(Read(10, 11), "10/3e");
}

TEST_F(LogViewTest, AMissingEntryIsDamage) {
  const std::vector<EntryView> entries = {{Lsn{9}, Term{3}, {}, "d"}};
  ASSERT_TRUE(view_.Append(entries));

  view_.Trim(Lsn{9}, Lsn{9}, 0);  // Said to be durable, and is not.

  EXPECT_EQ(Read(9, 10), "corruption");
}

TEST_F(LogViewTest, TruncatedEntriesAreGone) {
  view_.Truncated({Lsn{7}, Term{2}});

  EXPECT_EQ(Read(7, 9), "not_found");
  EXPECT_EQ(TermAt(7), "2");
  EXPECT_EQ(Read(8, 9), "8/3c");
}

}  // namespace
}  // namespace quorate::raft::internal
