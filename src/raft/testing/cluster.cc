#include "raft/testing/cluster.h"

#include <utility>

#include "base/check.h"
#include "consensus/conf_state.h"

namespace quorate::raft {
namespace {

constexpr PartitionId kPartition{7};

}  // namespace

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
    Node& node = nodes_[id];
    Boot(node);
    const Status made =
        node.logs->Bootstrap(kPartition, {.replica = id, .incarnation = id.value}, conf.Encode());
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
  node->second.strand->Post(std::move(task));
}

void Cluster::Run(ReplicaId id, env::Task task) {
  Post(id, std::move(task));
  env_.RunUntilIdle();
}

log::LogStatus Cluster::StatusOf(ReplicaId id) {
  log::LogStatus status;
  Run(id, [&] { status = replica(id)->status(); });
  return status;
}

void Cluster::Boot(Node& node) {
  node.strand = std::make_unique<GatedStrand>(env_.NewStrand());
  auto disk = std::make_unique<GatedStrand>(env_.NewStrand());
  node.disk = disk.get();
  node.logs = std::make_unique<log::LogStore>(node.store, std::move(disk), log::LogStoreOptions{},
                                              logger_, metrics_);
}

Status Cluster::Start(ReplicaId id) {
  Node& node = nodes_.at(id);
  QUORATE_CHECK(node.replica == nullptr);
  if (node.logs == nullptr) {
    Boot(node);
  }
  ReplicaOptions options = options_.replica;
  options.seed = options_.seed * 2 + 1;
  node.machine = std::make_unique<RecordingMachine>(id, node.store, observer_);
  node.replica = std::make_unique<Replica>(kPartition,
                                           Replica::Environment{.strand = *node.strand,
                                                                .logs = *node.logs,
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
  node.store.Crash(keep);
}

void Cluster::Crash(ReplicaId id, Prng& prng) {
  Node& node = nodes_.at(id);
  Kill(node);
  node.store.Crash(prng);
}

// Tasks first: whatever they hold must not run while its owner goes.
void Cluster::Kill(Node& node) {
  if (node.logs == nullptr) {
    return;
  }
  node.strand->Kill();
  node.disk->Kill();
  node.disk = nullptr;
  node.replica = nullptr;
  node.machine = nullptr;
  node.logs = nullptr;
  node.strand = nullptr;
}

}  // namespace quorate::raft
