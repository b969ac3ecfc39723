// A process to be killed: appends entries to the logs in the RocksDB store of the folder that it is
// given, for ever, and prints "PARTITION LSN" for each as soon as it is durable.
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "env/posix/thread_pool.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "kv/rocksdb_store.h"
#include "log/log_store.h"
#include "log/testing/kill_writer.h"

namespace quorate::log {
namespace {

// Keeps kInFlight requests of one partition under way.
class Appender {
 public:
  Appender(PartitionId partition, LogStore& store, std::unique_ptr<env::Strand> strand)
      : partition_(partition), store_(store), strand_(std::move(strand)) {}

  void Start() {
    const Result<StoredLog> stored = store_.Load(partition_);
    if (stored) {
      last_ = stored->last;
    } else {
      store_.Bootstrap(partition_, {.replica = ReplicaId{1}}, "").value();
      last_ = kBootstrapPosition.lsn;
    }
    strand_->Post([this] {
      for (int i = 0; i < kInFlight; ++i) {
        Append();
      }
    });
  }

 private:
  static constexpr int kInFlight = 4;

  void Append() {
    last_ = last_.Next();
    const Lsn lsn = last_;
    store_.Persist(
        {.partition = partition_,
         .entries = {{.lsn = lsn, .term = Term{1}, .data = KillPayload(partition_, lsn)}}},
        *strand_, [this, lsn] {
          const std::string line =
              std::to_string(partition_.value) + " " + std::to_string(lsn.value) + "\n";
          if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) {
            std::perror("write");
          }
          Append();
        });
  }

  const PartitionId partition_;
  LogStore& store_;
  const std::unique_ptr<env::Strand> strand_;
  Lsn last_;
};

int Run(const std::string& folder) {
  env::NullLogger logger;
  env::FakeMetrics metrics;
  env::ThreadPool core({.name = "core", .threads = 2});
  env::ThreadPool storage({.name = "storage", .threads = 1});
  const auto disk = kv::RocksDbStore::Open(folder, {}, logger).value();
  LogStore store(*disk, storage.NewStrand(), {}, logger, metrics);
  std::vector<std::unique_ptr<Appender>> appenders;
  for (std::uint64_t i = 1; i <= kKillPartitions; ++i) {
    appenders.push_back(std::make_unique<Appender>(PartitionId{i}, store, core.NewStrand()));
    appenders.back()->Start();
  }
  std::latch(1).wait();  // Until killed.
  return 0;
}

}  // namespace
}  // namespace quorate::log

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: log_kill_writer FOLDER\n", stderr);
    return 2;
  }
  return quorate::log::Run(argv[1]);
}
