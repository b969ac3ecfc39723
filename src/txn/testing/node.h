// Node: a node with one replica of one partition: its disk and its objects, which stay, and from
// one Open() to the next crash the process upon them, with its strands, its log and its
// transactions.
//
// Any number of nodes share one environment, and so one clock and one schedule. Everything runs in
// one thread, by hand.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/prng.h"
#include "env/file_system.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/manual_env.h"
#include "git/testing/fake_packs.h"
#include "log/log_manager.h"
#include "log/testing/process.h"
#include "txn/testing/log_mode.h"
#include "txn/transaction_manager.h"

namespace quorate::txn {

// The conflict window holds no more than open snapshots need, so that a test sees what is left
// over.
inline TransactionManagerOptions WithoutTail() {
  TransactionManagerOptions options;
  options.window.tail_entries = 0;
  return options;
}

class Node {
 public:
  static constexpr PartitionId kPartition{7};

  // `env` and `mode` outlive it.
  Node(env::ManualEnv& env, LogMode& mode, TransactionManagerOptions options = {});
  ~Node();

  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Opens what is on disk; a new disk is bootstrapped first. The log starts as tasks run. After an
  // error the node is open and fenced.
  Status Open();
  bool is_open() const { return manager_ != nullptr; }

  // The process ends with everything that lived in it: tasks and callbacks that had not run never
  // do. The disk stays as it is.
  void Close();
  // Power loss: closes; of the unsynced batches the first `keep_unsynced` stay; objects not synced
  // are lost.
  void Crash(std::size_t keep_unsynced);
  void Crash(Prng& prng) { Crash(prng.Below(disk().unsynced() + 1)); }

  // While it is open:
  TransactionManager& manager() { return *manager_; }
  log::LogManager& log() { return *log_; }  // What the mode made; for the partition's strand.
  log::Process& process() { return process_; }

  kv::MemoryStore& disk() { return process_.disk; }

  git::FakePacks packs;
  env::FakeMetrics metrics;
  env::RecordingLogger logger;
  // What Open() said of packs beside the log.
  std::vector<Sha256Digest> named_beside_the_log;

 private:
  class Files;

  LogModeParts Parts();
  TransactionManagerDeps Deps();

  env::ManualEnv& env_;
  LogMode& mode_;
  const TransactionManagerOptions options_;
  const std::unique_ptr<Files> files_;
  log::Process process_;
  std::unique_ptr<log::LogManager> log_;
  std::unique_ptr<TransactionManager> manager_;
};

}  // namespace quorate::txn
