#include "consensus/testing/probe_net.h"

#include <algorithm>

#include "consensus/internal/wire.h"

namespace quorate::consensus::testing {

ProbeNet::ProbeNet(std::initializer_list<std::uint64_t> ids, std::vector<ReplicaId> voters,
                   const Customise& customise) {
  for (const std::uint64_t id : ids) {
    const bool member = std::find(voters.begin(), voters.end(), ReplicaId{id}) != voters.end();
    auto replica = std::make_unique<ModelReplica>(
        ReplicaId{id}, member ? ModelDisk::Bootstrapped(voters) : ModelDisk{});
    if (customise) {
      customise(*replica);
    }
    replica->Start();
    replicas_[id] = std::move(replica);
  }
}

Send ProbeNet::sender() {
  return [this](Envelope envelope) { queue.push_back(std::move(envelope)); };
}

void ProbeNet::Deliver(const Envelope& envelope) {
  const OutgoingMessage& message = envelope.message;
  const auto to = replicas_.find(message.to.value);
  const bool lost = to == replicas_.end() || !to->second->up() ||
                    isolated.count(envelope.from.value) != 0 ||
                    isolated.count(message.to.value) != 0 || (drop && drop(envelope));
  if (!lost) {
    to->second->Alive(to->second->node().Step(message.bytes));
  }
  ModelReplica& from = at(envelope.from.value);
  if (message.is_snapshot && report_snapshots && from.up()) {
    from.Alive(from.node().ReportSnapshot(message.to, lost));
  }
}

void ProbeNet::Round() {
  const Send send = sender();
  for (auto& [id, replica] : replicas_) {
    replica->Pump(send);
    replica->Sync(99, send);
    replica->Pump(send);
    replica->Apply(99);
    if (replica->up()) {
      replica->SaveState();
    }
  }
  for (const Envelope& envelope : std::exchange(queue, {})) {
    Deliver(envelope);
  }
}

void ProbeNet::Settle(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    Round();
  }
}

void ProbeNet::Ticks(int count) {
  for (int i = 0; i < count; ++i) {
    for (auto& [id, replica] : replicas_) {
      if (replica->up()) {
        replica->Alive(replica->node().Tick());
      }
    }
    Settle(4);
  }
}

void ProbeNet::Elect(std::uint64_t id) {
  at(id).Alive(node(id).Campaign());
  Settle();
}

std::uint64_t ProbeNet::Leader() {
  std::uint64_t leader = 0;
  Term term;
  for (auto& [id, replica] : replicas_) {
    const NodeStatus status = replica->status();
    if (status.role == Role::kLeader && status.term > term) {
      leader = id;
      term = status.term;
    }
  }
  return leader;
}

Result<Position> ProbeNet::Propose(std::uint64_t id, std::string_view data) {
  auto position = node(id).Propose(std::span(&data, 1));
  if (!position) {
    at(id).Alive(Status(position.error()));
  }
  return position;
}

Result<Position> ProbeNet::Change(std::uint64_t id, std::vector<ConfChange::Single> changes,
                                  ConfTransition transition) {
  return node(id).ProposeConfChange(
      {.transition = transition, .changes = std::move(changes), .context = "why"});
}

bool ProbeNet::Applied(std::uint64_t id, std::string_view command) {
  const std::string all = ";" + at(id).disk().state;
  return all.find(";" + std::string(command) + ";") != std::string::npos;
}

ConfChange::Single AddVoter(std::uint64_t id) {
  return {ConfChangeKind::kAddVoter, ReplicaId{id}};
}
ConfChange::Single AddLearner(std::uint64_t id) {
  return {ConfChangeKind::kAddLearner, ReplicaId{id}};
}
ConfChange::Single Remove(std::uint64_t id) {
  return {ConfChangeKind::kRemove, ReplicaId{id}};
}

std::string WireMessage::Encode() const {
  internal::WireWriter out;
  out.Number(1, static_cast<std::uint64_t>(type));
  out.Number(2, to);
  out.Number(3, from);
  out.Number(4, term);
  out.Number(5, log_term);
  out.Number(6, index);
  for (const Entry& entry : entries) {
    internal::WireWriter inner;
    inner.Number(1, static_cast<std::uint64_t>(entry.type));
    inner.Number(2, entry.term.value);
    inner.Number(3, entry.lsn.value);
    inner.Bytes(4, entry.data);
    out.Message(7, inner.Take());
  }
  out.Number(8, commit);
  return out.Take();
}

}  // namespace quorate::consensus::testing
