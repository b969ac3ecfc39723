// One node with one partition: its disk, its objects, its log, its transactions. It crashes and
// comes back when a test says so. Everything runs in one thread, by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "env/file_system.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/manual_env.h"
#include "git/testing/fake_packs.h"
#include "kv/testing/memory_store.h"
#include "log/log_store.h"
#include "txn/testing/log_mode.h"
#include "txn/transaction_manager.h"

namespace quorate::txn {

class World {
 public:
  static constexpr PartitionId kPartition{7};

  // `mode` outlives it. With a seed, tasks of different strands interleave at random.
  World(LogMode& mode, std::optional<std::uint64_t> seed, TransactionManagerOptions options = {});
  ~World();

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Opens what is on disk. The log starts as tasks run.
  Status Open();
  bool is_open() const { return manager_ != nullptr; }
  // The process dies: tasks and callbacks under way are gone. Of the unsynced batches the first
  // `keep_unsynced` stay; objects not synced are lost.
  void Crash(std::size_t keep_unsynced);
  void Crash(Prng& prng) { Crash(prng.Below(disk.unsynced() + 1)); }
  // Runs Stop() to its end and closes.
  void Stop();

  void Run() { mode_.Run(*env_); }
  bool RunOne() { return env_->RunOne(); }
  // Runs `task` on the partition's strand and what follows from it.
  void RunOnStrand(env::Task task);

  TransactionManager& manager() { return *manager_; }
  env::ManualEnv& env() { return *env_; }
  Position position() const;

  kv::MemoryStore disk;
  git::FakePacks packs;
  env::FakeMetrics metrics;
  env::RecordingLogger logger;
  // What Open() said of packs beside the log.
  std::vector<Sha256Digest> named_beside_the_log;

 private:
  class Files;

  void Close();

  LogMode& mode_;
  const std::optional<std::uint64_t> seed_;
  const TransactionManagerOptions options_;
  const std::unique_ptr<Files> files_;
  std::uint64_t lives_ = 0;

  std::unique_ptr<env::ManualEnv> env_;
  std::unique_ptr<env::Strand> strand_;
  std::unique_ptr<env::Strand> storage_;
  std::unique_ptr<log::LogStore> logs_;
  std::unique_ptr<log::LogManager> log_;
  std::unique_ptr<TransactionManager> manager_;
};

// An object id made of one letter, and a reference's value that is one.
git::ObjectId IdOf(char letter);
RefValue ValueOf(char letter);

}  // namespace quorate::txn
