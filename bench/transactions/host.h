// Host: one node's share of a benchmark without a network: a store on disk, pools of the sizes that
// `quorate serve` uses, and any number of partitions with production logs and transactions.
//
// Blocks in its constructor and destructor. Everything else is the manager's contract.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "env/posix/clock.h"
#include "env/posix/prometheus_metrics.h"
#include "env/posix/random.h"
#include "env/posix/spdlog_logger.h"
#include "env/posix/thread_pool.h"
#include "kv/group_writer.h"
#include "kv/rocksdb_store.h"
#include "log/log_store.h"
#include "raft/replica.h"
#include "txn/transaction_manager.h"

namespace quorate::bench {

// Carries messages between hosts of this process. Called on the sender's strand.
using Carry = std::function<void(raft::Message)>;

struct HostOptions {
  std::string folder;  // Exists; the store goes below.
  std::uint64_t partitions = 1;
  bool raft = true;  // Else a local log.
  ReplicaId self{1};
  std::vector<ReplicaId> voters{ReplicaId{1}};
  Carry carry{};  // For several voters.
};

class Host {
 public:
  explicit Host(HostOptions options);
  ~Host();

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // A message from another host, on any thread.
  void Receive(raft::Message message);
  // Time passes for the replicas here that want to know.
  void Tick();
  // Makes this host lead every partition, and waits for that.
  void Lead();

  std::uint64_t partitions() const { return parts_.size(); }
  txn::TransactionManager& transactions(std::uint64_t partition) {
    return *parts_[partition]->manager;
  }
  env::ThreadPool& clients() { return clients_; }

 private:
  struct Part {
    std::unique_ptr<env::Strand> strand;
    std::unique_ptr<env::Strand> storage;
    std::unique_ptr<log::LogManager> log;
    raft::Replica* replica = nullptr;  // Of `log`, with HostOptions::raft.
    std::unique_ptr<txn::TransactionManager> manager;
  };
  class Wire;

  std::unique_ptr<Part> OpenPart(PartitionId id);

  const HostOptions options_;
  env::PosixClock clock_;
  env::PosixRandom random_;
  env::SpdlogLogger logger_{clock_, {.level = env::Severity::kWarning, .json = false}};
  env::PrometheusMetrics metrics_;
  std::unique_ptr<raft::Transport> wire_;
  env::ThreadPool core_;
  env::ThreadPool storage_;
  env::ThreadPool clients_;
  std::unique_ptr<kv::RocksDbStore> store_;
  std::unique_ptr<kv::GroupWriter> states_;
  std::unique_ptr<log::LogStore> logs_;
  std::vector<std::unique_ptr<Part>> parts_;  // Partition ids from 1 on.
};

}  // namespace quorate::bench
