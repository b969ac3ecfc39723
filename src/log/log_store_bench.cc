// Group commit against raw synced puts of the same size, on the same disk and in the same run.
// Compare items_per_second; the ratio is what counts, the figures themselves depend on the disk.
//
//   cmake --preset release -DQUORATE_BENCH=ON && cmake --build build/release --target
//   log_store_bench TMPDIR=/on/the/disk build/release/src/log/log_store_bench
#include <benchmark/benchmark.h>
#include <rocksdb/db.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "env/posix/thread_pool.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/temporary_folder.h"
#include "kv/rocksdb_store.h"
#include "log/log_store.h"

namespace quorate::log {
namespace {

// The base line: one thread, one put, one sync after the other.
void RawSyncedPut(benchmark::State& state) {
  const env::TemporaryFolder folder;
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  if (!rocksdb::DB::Open(options, folder.path() + "/db", &opened).ok()) {
    state.SkipWithError("cannot open RocksDB");
    return;
  }
  const std::unique_ptr<rocksdb::DB> db(opened);
  const std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  rocksdb::WriteOptions write;
  write.sync = true;
  std::uint64_t number = 0;
  for (auto _ : state) {
    std::string key;
    AppendBigEndian64(key, 1);
    AppendBigEndian64(key, number++);
    if (!db->Put(write, key, value).ok()) {
      state.SkipWithError("write failed");
    }
  }
  state.SetItemsProcessed(state.iterations());
}

// One partition that always has `in_flight` entries under way, until told to stop.
class Load {
 public:
  Load(PartitionId partition, LogStore& store, env::StrandPool& pool, std::size_t bytes,
       std::atomic<std::int64_t>& done)
      : partition_(partition),
        store_(store),
        strand_(pool.NewStrand()),
        bytes_(bytes),
        done_(done) {
    store_.Bootstrap(partition_, {.replica = ReplicaId{1}}, "").value();
  }

  void Start(std::int64_t in_flight) {
    strand_->Post([this, in_flight] {
      for (std::int64_t i = 0; i < in_flight; ++i) {
        Append();
      }
    });
  }
  void Stop() { stopping_ = true; }

 private:
  void Append() {
    if (stopping_) {
      return;
    }
    last_ = last_.Next();
    store_.Persist({.partition = partition_,
                    .entries = {{.lsn = last_, .term = Term{1}, .data = std::string(bytes_, 'v')}}},
                   *strand_, [this] {
                     done_.fetch_add(1, std::memory_order_relaxed);
                     done_.notify_one();
                     Append();
                   });
  }

  const PartitionId partition_;
  LogStore& store_;
  const std::unique_ptr<env::Strand> strand_;
  const std::size_t bytes_;
  std::atomic<std::int64_t>& done_;
  std::atomic<bool> stopping_{false};
  Lsn last_ = kBootstrapPosition.lsn;
};

// Arguments: bytes of an entry, partitions, entries in flight in each.
void GroupCommit(benchmark::State& state) {
  const env::TemporaryFolder folder;
  env::NullLogger logger;
  env::FakeMetrics metrics;
  env::ThreadPool core({.name = "core", .threads = 2});
  env::ThreadPool storage({.name = "storage", .threads = 1});
  const auto disk = kv::RocksDbStore::Open(folder.path() + "/db", {}, logger).value();
  auto store =
      std::make_unique<LogStore>(*disk, storage.NewStrand(), LogStoreOptions{}, logger, metrics);
  std::atomic<std::int64_t> done{0};
  std::vector<std::unique_ptr<Load>> loads;
  for (std::int64_t i = 1; i <= state.range(1); ++i) {
    loads.push_back(std::make_unique<Load>(PartitionId{static_cast<std::uint64_t>(i)}, *store, core,
                                           static_cast<std::size_t>(state.range(0)), done));
  }
  const std::uint64_t syncs_before = store->totals().syncs;
  for (const auto& load : loads) {
    load->Start(state.range(2));
  }
  std::int64_t target = 0;
  for (auto _ : state) {  // One iteration is one durable entry.
    ++target;
    for (std::int64_t seen = done; seen < target; seen = done) {
      done.wait(seen);
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["entries_per_sync"] =
      static_cast<double>(done) / static_cast<double>(store->totals().syncs - syncs_before);
  for (const auto& load : loads) {
    load->Stop();
  }
  store = nullptr;
  core.Stop();
  storage.Stop();
}

BENCHMARK(RawSyncedPut)->Arg(128)->Arg(4096)->UseRealTime();
BENCHMARK(GroupCommit)
    ->ArgNames({"bytes", "partitions", "in_flight"})
    ->Args({128, 1, 1})
    ->Args({128, 1, 16})
    ->Args({128, 100, 1})
    ->Args({128, 1000, 16})
    ->Args({4096, 100, 1})
    ->UseRealTime();

}  // namespace
}  // namespace quorate::log

BENCHMARK_MAIN();
