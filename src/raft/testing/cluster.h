// Cluster: a group of replicas in one thread, each with a store, a disk and a process of its own,
// which a test crashes, slows down, cuts off and restarts.
//
// A crash loses what the store had not synced, and every task of that process that had not run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/prng.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/manual_env.h"
#include "log/testing/process.h"
#include "raft/replica.h"
#include "raft/testing/memory_network.h"
#include "raft/testing/recording_machine.h"

namespace quorate::raft {

struct ClusterOptions {
  std::uint64_t replicas = 3;  // 1.., all voters.
  // 0: tasks run first come, first served, and every replica draws elections from seed 1.
  std::uint64_t seed = 0;
  bool lazy_machines = false;  // Entries are applied only by ApplySome().
  ReplicaOptions replica;
};

class Cluster {
 public:
  static constexpr PartitionId kPartition{7};

  // `observer` outlives it.
  Cluster(const ClusterOptions& options, MachineObserver& observer);
  ~Cluster();

  std::vector<ReplicaId> ids() const;
  bool up(ReplicaId id) const { return nodes_.at(id).replica != nullptr; }

  // Null while it is down. Calls are made through Run().
  Replica* replica(ReplicaId id) { return nodes_.at(id).replica.get(); }
  RecordingMachine& machine(ReplicaId id) { return *nodes_.at(id).machine; }
  kv::MemoryStore& store(ReplicaId id) { return nodes_.at(id).process.disk; }
  env::GatedStrand& disk(ReplicaId id) { return nodes_.at(id).process.writer(); }
  log::LogStore& logs(ReplicaId id) { return nodes_.at(id).process.logs(); }
  MemoryNetwork& network() { return network_; }
  env::ManualEnv& env() { return env_; }
  const env::FakeMetrics& metrics() const { return metrics_; }

  // Posts `task` to the replica's strand; nothing happens if it is down by then.
  void Post(ReplicaId id, env::Task task);
  // Runs `task` there, and what follows from it.
  void Run(ReplicaId id, env::Task task);
  // Until no message is under way and nobody has anything to do.
  void Settle();
  // Time for one heartbeat of this leader, and what follows from it: the others hear of what is
  // committed, and their machines are handed it.
  void Heartbeat(ReplicaId leader);
  log::LogStatus StatusOf(ReplicaId id);

  Status Start(ReplicaId id);
  // Keeps the first `keep` unsynced batches.
  void Crash(ReplicaId id, std::size_t keep);
  void Crash(ReplicaId id, Prng& prng);

 private:
  struct Node {
    Node(env::ManualEnv& env, env::Logger& logger, env::Metrics& metrics)
        : process(env, logger, metrics) {}

    log::Process process;
    std::unique_ptr<RecordingMachine> machine;
    std::unique_ptr<Replica> replica;
  };

  static void Kill(Node& node);

  const ClusterOptions options_;
  MachineObserver& observer_;
  env::ManualEnv env_;
  env::NullLogger logger_;
  env::FakeMetrics metrics_;
  MemoryNetwork network_;
  std::map<ReplicaId, Node> nodes_;
};

}  // namespace quorate::raft
