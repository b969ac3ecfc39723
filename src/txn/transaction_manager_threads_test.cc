// Many threads on real pools: no lost update, every commit answered, an orderly end.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "env/posix/clock.h"
#include "env/posix/random.h"
#include "env/posix/thread_pool.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "kv/testing/memory_store.h"
#include "log/local_log.h"
#include "txn/internal/state_codec.h"
#include "txn/testing/world.h"
#include "txn/transaction_manager.h"

namespace quorate::txn {
namespace {

constexpr PartitionId kPartition{3};
constexpr int kThreads = 4;
constexpr int kIncrements = 50;

// Lets other threads go ahead of every write.
class YieldingStore final : public kv::Store {
 public:
  Result<std::optional<std::string>> Get(kv::Family family, std::string_view key) const override {
    return store_.Get(family, key);
  }
  std::unique_ptr<kv::Iterator> NewIterator(kv::Family family, std::string_view lower,
                                            std::string_view upper) const override {
    return store_.NewIterator(family, lower, upper);
  }
  Status Write(kv::WriteBatch batch, kv::WriteOptions options) override {
    for (std::uint64_t n = writes_++ % 8; n > 0; --n) {
      std::this_thread::yield();
    }
    return store_.Write(std::move(batch), options);
  }
  std::shared_ptr<const kv::Snapshot> TakeSnapshot() const override {
    return store_.TakeSnapshot();
  }

 private:
  kv::MemoryStore store_;
  std::atomic<std::uint64_t> writes_ = 0;
};

// What the partitions of a process share.
struct ThreadedNode {
  ThreadedNode()
      : core({.name = "core", .threads = 2}),
        storage({.name = "storage", .threads = 2}),
        states(store, storage.NewStrand()),
        logs(store, storage.NewStrand(), {}, logger, metrics) {}

  env::PosixClock clock;
  env::PosixRandom random;
  env::NullLogger logger;
  env::FakeMetrics metrics;
  YieldingStore store;
  env::ThreadPool core;
  env::ThreadPool storage;
  kv::GroupWriter states;
  log::LogStore logs;
};

class ThreadedPartition {
 public:
  explicit ThreadedPartition(ThreadedNode& node, PartitionId id = kPartition)
      : node_(node), id_(id), strand_(node.core.NewStrand()), apply_(node.storage.NewStrand()) {
    EXPECT_TRUE(node.logs.Bootstrap(id, {.replica = ReplicaId{1}, .incarnation = 1}, ""));
    log_ = std::make_unique<log::LocalLog>(id, *strand_, node.logs, log::LocalLogOptions{});
    manager_ = std::make_unique<TransactionManager>(
        Deps(*strand_), TransactionManagerOptions{.window = {.bytes_max = 64 * 150}});
    EXPECT_TRUE(manager_->Open());
    std::promise<Status> writable;
    manager_->WaitWritable([&writable](Status status) { writable.set_value(std::move(status)); });
    EXPECT_TRUE(writable.get_future().get());
  }

  ~ThreadedPartition() {
    std::promise<void> stopped;
    manager_->Stop([&stopped] { stopped.set_value(); });
    stopped.get_future().get();
  }

  TransactionManagerDeps Deps(env::Strand& strand) {
    return {.partition = id_,
            .strand = strand,
            .storage = *apply_,
            .log = *log_,
            .store = node_.store,
            .states = node_.states,
            .root = "",
            .clock = node_.clock,
            .random = node_.random,
            .logger = node_.logger,
            .metrics = node_.metrics};
  }

  TransactionManager& manager() { return *manager_; }

  Result<Snapshot> Read() {
    std::promise<Result<Snapshot>> read;
    manager_->ReadSnapshot(
        [&read](Result<Snapshot> snapshot) { read.set_value(std::move(snapshot)); });
    return read.get_future().get();
  }

  Result<CommitOutcome> Commit(Transaction transaction) {
    std::promise<Result<CommitOutcome>> committed;
    manager_->Commit(std::move(transaction), [&committed](Result<CommitOutcome> outcome) {
      committed.set_value(std::move(outcome));
    });
    return committed.get_future().get();
  }

 private:
  ThreadedNode& node_;
  const PartitionId id_;
  std::unique_ptr<env::Strand> strand_;
  std::unique_ptr<env::Strand> apply_;
  std::unique_ptr<log::LocalLog> log_;
  std::unique_ptr<TransactionManager> manager_;
};

// What is posted to it has run when Post() returns: other threads may be that fast.
class FastStrand final : public env::Strand {
 public:
  explicit FastStrand(env::StrandPool& pool) : strand_(pool.NewStrand()) {}
  void Post(env::Task task) override {
    std::promise<void> run;
    strand_->Post([&] {
      std::exchange(task, nullptr)();
      run.set_value();
    });
    run.get_future().wait();
  }
  void AssertCurrent() const override { strand_->AssertCurrent(); }

 private:
  const std::unique_ptr<env::Strand> strand_;
};

int CounterIn(const Snapshot& snapshot) {
  return std::stoi(snapshot.FindKey("counter").value().value_or("0"));
}

// Adds one, again and again until it is not in conflict. Whoever was told so reads at least that.
void Increment(ThreadedPartition& partition) {
  while (true) {
    Transaction transaction = partition.manager().Begin({}).value();
    const std::optional<std::string> before = transaction.snapshot().FindKey("counter").value();
    const int next = std::stoi(before.value_or("0")) + 1;
    ASSERT_TRUE(transaction.StageKey("counter", before, std::to_string(next)));
    const Result<CommitOutcome> outcome = partition.Commit(std::move(transaction));
    if (outcome) {
      EXPECT_GE(CounterIn(partition.Read().value()), next);
      return;
    }
    ASSERT_EQ(outcome.error().code(), Code::kConflict) << outcome.error().ToString();
  }
}

TEST(TransactionManagerThreadsTest, NoIncrementIsLost) {
  ThreadedNode node;
  ThreadedPartition partition(node);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&partition] {
      for (int n = 0; n < kIncrements; ++n) {
        Increment(partition);
      }
    });
  }
  threads.clear();  // Joins.

  EXPECT_EQ(CounterIn(partition.Read().value()), kThreads * kIncrements);
  EXPECT_EQ(partition.manager().status().in_flight, 0u);
}

// A partition whose every entry sets one reference, and what was seen of it.
class Watched {
 public:
  Watched(ThreadedNode& node, PartitionId id) : partition_(node, id) {
    Transaction create = partition_.manager().Begin({}).value();
    EXPECT_TRUE(
        create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
    created_ = partition_.Commit(std::move(create)).value().lsn;
    EXPECT_TRUE(partition_.Read());
  }

  // Sets the reference, and looks before that and, without waiting, behind it.
  void Set(char value) {
    Transaction transaction = partition_.manager().Begin({}).value();
    Note(transaction.snapshot());
    ASSERT_TRUE(transaction.StageRef({.repository = kRepository,
                                      .name = "refs/heads/main",
                                      .expected = {},
                                      .value = ValueOf(value)}));
    const Result<CommitOutcome> outcome = partition_.Commit(std::move(transaction));
    if (outcome && outcome->lsn.value != 0) {
      const std::lock_guard lock(mutex_);
      set_.emplace(outcome->lsn, value);
    }
    Note(partition_.manager().LocalSnapshot().value());
  }

  // Each snapshot had exactly what its LSN says.
  void Check() {
    EXPECT_GT(set_.size(), 1U);
    for (const Look& look : looks_) {
      const auto behind = set_.upper_bound(look.lsn);
      const bool any = behind != set_.begin();
      ASSERT_EQ(look.ref_version, any ? std::prev(behind)->first : created_) << look.lsn.value;
      ASSERT_EQ(look.value, any ? std::optional(ValueOf(std::prev(behind)->second)) : std::nullopt);
    }
  }

 private:
  static constexpr RepositoryId kRepository{1};
  struct Look {
    Lsn lsn;
    Lsn ref_version;
    std::optional<RefValue> value;
  };

  void Note(const Snapshot& snapshot) {
    Look look{.lsn = snapshot.lsn(),
              .ref_version = snapshot.FindRepository(kRepository).value()->ref_version,
              .value = snapshot.FindRef(kRepository, "refs/heads/main").value()};
    const std::lock_guard lock(mutex_);
    looks_.push_back(std::move(look));
  }

  ThreadedPartition partition_;
  Lsn created_;
  std::mutex mutex_;
  std::map<Lsn, char> set_;
  std::vector<Look> looks_;
};

TEST(TransactionManagerThreadsTest, SnapshotsOfManyPartitionsHaveExactlyWhatTheirLsnSays) {
  ThreadedNode node;
  std::vector<std::unique_ptr<Watched>> partitions;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    partitions.push_back(std::make_unique<Watched>(node, PartitionId{id}));
  }
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&partitions, i] {
      for (int n = 0; n < 3 * kIncrements; ++n) {
        partitions[static_cast<std::size_t>(n) % partitions.size()]->Set(
            static_cast<char>('A' + i + n % 20));
      }
    });
  }
  threads.clear();  // Joins.

  for (const auto& partition : partitions) {
    partition->Check();
  }
}

// Under a sanitizer it fails when Commit() still touches the manager.
TEST(TransactionManagerThreadsTest, WhoIsAnsweredMayLetTheManagerGoBeforeCommitReturns) {
  ThreadedNode node;
  ThreadedPartition partition(node);
  FastStrand strand(node.core);
  auto manager =
      std::make_unique<TransactionManager>(partition.Deps(strand), TransactionManagerOptions{});
  Code answer = Code::kInternal;

  auto pending = manager->Commit(partition.manager().Begin({}).value(),
                                 [&](const Result<CommitOutcome>& outcome) {
                                   answer = outcome.error().code();
                                   manager = nullptr;
                                 });
  pending.Cancel();

  EXPECT_EQ(answer, Code::kUnavailable);  // It was never opened.
  EXPECT_EQ(manager, nullptr);
}

// The log is cut by what was said last; the record must say as much.
TEST(TransactionManagerThreadsTest, TheRecordOfDurableObjectsNeverGoesBack) {
  ThreadedNode node;
  ThreadedPartition partition(node);
  for (int n = 0; n < kIncrements; ++n) {
    Increment(partition);
  }
  const std::uint64_t applied = partition.manager().status().applied.value;
  std::atomic<std::uint64_t> next = kBootstrapPosition.lsn.value;

  for (std::uint64_t lsn = kBootstrapPosition.lsn.value; lsn + kThreads <= applied; ++lsn) {
    std::vector<std::jthread> threads;
    for (int i = 1; i <= kThreads; ++i) {
      threads.emplace_back(
          [&partition, &next] { EXPECT_TRUE(partition.manager().ObjectsDurable(Lsn{++next})); });
    }
    threads.clear();  // Joins.
    next = std::min(next.load(), applied - kThreads);

    const auto recorded = internal::ReadObjectsDurable(kPartition, node.store).value();
    ASSERT_EQ(recorded, partition.manager().status().objects_durable);
  }
}

}  // namespace
}  // namespace quorate::txn
