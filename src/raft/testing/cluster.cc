#include "raft/testing/cluster.h"

#include <utility>

#include "base/check.h"
#include "consensus/conf_state.h"

namespace quorate::raft {
Cluster::Cluster(const ClusterOptions& options, MachineObserver& observer)
    : options_(options),
      observer_(observer),
      env_(options.seed == 0 ? env::ManualEnv() : env::ManualEnv(options.seed)),
      network_(options.seed, [this](const Message& message) {
        Post(message.to, [this, message] { replica(message.to)->Step(message); });
      }) {
  consensus::ConfState conf;
  for (std::uint64_t id = 1; id <= options.replicas; ++id) {
    conf.voters.push_back(ReplicaId{id});
  }
  for (const ReplicaId id : conf.voters) {
    Node& node = nodes_.try_emplace(id, env_, logger_, metrics_).first->second;
    node.process.Boot();
    const Status made = node.process.logs().Bootstrap(
        kPartition, {.replica = id, .incarnation = id.value}, conf.Encode());
    QUORATE_CHECK(made.has_value());
  }
}

Cluster::~Cluster() {
  for (auto& [id, node] : nodes_) {
    Kill(node);
  }
}

std::vector<ReplicaId> Cluster::ids() const {
  std::vector<ReplicaId> ids;
  for (const auto& [id, node] : nodes_) {
    ids.push_back(id);
  }
  return ids;
}

void Cluster::Post(ReplicaId id, env::Task task) {
  const auto node = nodes_.find(id);
  if (node == nodes_.end() || node->second.replica == nullptr) {
    return;
  }
  node->second.process.strand().Post(std::move(task));
}

void Cluster::Run(ReplicaId id, env::Task task) {
  Post(id, std::move(task));
  env_.RunUntilIdle();
}

void Cluster::Settle() {
  env_.RunUntilIdle();
  while (!network_.empty()) {
    network_.Turn();
    env_.RunUntilIdle();
  }
}

void Cluster::Heartbeat(ReplicaId leader) {
  for (std::uint32_t tick = 0; tick < options_.replica.heartbeat_ticks; ++tick) {
    Run(leader, [&] { replica(leader)->Tick(); });
  }
  Settle();
}

log::LogStatus Cluster::StatusOf(ReplicaId id) {
  log::LogStatus status;
  Run(id, [&] { status = replica(id)->status(); });
  return status;
}

Status Cluster::Start(ReplicaId id) {
  Node& node = nodes_.at(id);
  QUORATE_CHECK(node.replica == nullptr);
  if (!node.process.up()) {
    node.process.Boot();
  }
  ReplicaOptions options = options_.replica;
  options.seed = options_.seed * 2 + 1;
  node.machine = std::make_unique<RecordingMachine>(id, node.process.disk, observer_);
  node.replica = std::make_unique<Replica>(kPartition,
                                           Replica::Environment{.strand = node.process.strand(),
                                                                .logs = node.process.logs(),
                                                                .transport = network_.transport(),
                                                                .random = env_,
                                                                .logger = logger_,
                                                                .metrics = metrics_},
                                           options);
  node.machine->Attach(*node.replica, options_.lazy_machines);
  Status started = Error(Code::kInternal, "not run");
  bool ran = false;
  Post(id, [&] {
    started = node.replica->Start(*node.machine, node.machine->applied());
    ran = true;
  });
  while (!ran) {
    QUORATE_CHECK(env_.RunOne());
  }
  if (!started) {
    Kill(node);
  }
  return started;
}

void Cluster::Crash(ReplicaId id, std::size_t keep) {
  Node& node = nodes_.at(id);
  Kill(node);
  node.process.disk.Crash(keep);
}

void Cluster::Crash(ReplicaId id, Prng& prng) {
  Node& node = nodes_.at(id);
  Kill(node);
  node.process.disk.Crash(prng);
}

// Tasks first: whatever they hold must not run while its owner goes.
void Cluster::Kill(Node& node) {
  node.process.Halt();
  node.replica = nullptr;
  node.machine = nullptr;
  node.process.End();
}

}  // namespace quorate::raft
