#include "consensus/testing/fuzz_world.h"

#include <fmt/format.h>

#include <algorithm>

namespace quorate::consensus::testing {

std::string FuzzReport::ToString() const {
  return fmt::format(
      "proposed {} acknowledged {} crashes {} installs {} changes {} reads {} transfers {} dropped "
      "{} digest {:016x}: {}",
      proposed, acknowledged, crashes, installs, conf_changes, reads, transfers, dropped, digest,
      violation ? *violation : "ok");
}

FuzzReport RunFuzz(const FuzzOptions& options) {
  return FuzzWorld(options).Run();
}

FuzzWorld::FuzzWorld(const FuzzOptions& options) : options_(options), prng_(options.seed) {
  for (std::uint64_t id = 1; id <= options.replicas; ++id) {
    AddReplica(id);
  }
}

void FuzzWorld::AddReplica(std::uint64_t id) {
  ModelDisk disk;
  if (id <= 3) {
    disk = ModelDisk::Bootstrapped({ReplicaId{1}, ReplicaId{2}, ReplicaId{3}});
    if (options_.mistakes.bootstrap_at_zero) {
      disk.truncated = {};
      disk.applied = {};
      disk.hard_state = {};
    }
  }
  auto replica = std::make_unique<ModelReplica>(ReplicaId{id}, std::move(disk));
  replica->options.seed = options_.seed * 2 + 1;
  replica->options.announce_commits = options_.announce_commits;
  replica->mistakes = options_.mistakes.host;
  replica->unsafe = options_.mistakes.engine;
  replica->on_apply = [this](const ModelReplica& who, const Entry& entry) {
    checker_.OnApplied(who, entry);
  };
  replica->Start();
  checker_.CheckAlive(*replica);
  replicas_[id] = std::move(replica);
}

FuzzReport FuzzWorld::Run() {
  for (int i = 0; i < options_.chaos_turns && !Stopped(); ++i) {
    Turn(/*chaos=*/true);
  }
  if (!Stopped()) {
    Heal();
  }
  report_.violation = checker_.violation();
  report_.acknowledged = checker_.acknowledged();
  report_.reads = checker_.reads_served();
  for (const auto& [id, replica] : replicas_) {
    report_.digest = report_.digest * 31 + replica->digest();
    report_.installs += replica->installs();
  }
  return report_;
}

void FuzzWorld::Turn(bool chaos) {
  ++now_;
  Deliver();
  for (auto& [id, replica] : replicas_) {
    if (replica->up()) {
      RunReplica(*replica, chaos);
    }
    checker_.CheckAlive(*replica);
  }
  for (const Envelope& envelope : std::exchange(lost_snapshots_, {})) {
    ReportSnapshot(envelope, /*failed=*/true);
  }
  for (auto& [id, replica] : replicas_) {
    checker_.CheckLeader(*replica);
  }
  Propose();
  AskRead();
  if (chaos && !Stopped()) {
    CrashSome();
    RestartSome();
    CutSome();
    Transfer();
    ChangeMembers();
  }
}

// One replica's turn: late syncs, slow application, state saved and log compacted at odd times.
void FuzzWorld::RunReplica(ModelReplica& replica, bool chaos) {
  const Send send = [this](Envelope envelope) { Post(std::move(envelope)); };
  if (prng_.OneIn(3)) {
    replica.Alive(replica.node().Tick());
  }
  replica.Pump(send);
  const bool stalled = chaos && prng_.OneIn(40);
  const std::size_t syncs = chaos ? prng_.Below(3) : 9;
  replica.Sync(stalled ? 0 : syncs, send);
  replica.Pump(send);
  replica.Apply(chaos ? prng_.Below(6) : 99);
  ServeReads(replica);
  if (prng_.OneIn(10)) {
    replica.SaveState();
  }
  if (prng_.OneIn(60)) {
    replica.Compact(prng_.Below(12));
  }
}

void FuzzWorld::ServeReads(ModelReplica& replica) {
  const Lsn applied = replica.disk().applied;
  std::erase_if(replica.reads, [&](const ReadState& read) {
    if (read.lsn > applied) {
      return false;
    }
    checker_.OnReadServed(read.context, applied);
    return true;
  });
}

ModelReplica& FuzzWorld::AnyReplica() {
  return at(1 + prng_.Below(replicas_.size()));
}

ModelReplica* FuzzWorld::Leader() {
  ModelReplica* leader = nullptr;
  Term term;
  for (auto& [id, replica] : replicas_) {
    const NodeStatus status = replica->status();
    if (status.role == Role::kLeader && status.term >= term) {
      leader = replica.get();
      term = status.term;
    }
  }
  return leader;
}

// --- Network ---

void FuzzWorld::Post(Envelope envelope) {
  if (prng_.Below(100) < 4) {
    ++report_.dropped;
    if (envelope.message.is_snapshot) {
      lost_snapshots_.push_back(std::move(envelope));
    }
    return;
  }
  if (prng_.Below(100) < 2) {
    network_[now_ + 1 + prng_.Below(40)].push_back(envelope);
  }
  const std::uint64_t delay = prng_.Below(prng_.OneIn(20) ? 30 : 4);
  network_[now_ + 1 + delay].push_back(std::move(envelope));
}

void FuzzWorld::Deliver() {
  auto due = network_.extract(now_);
  if (due.empty()) {
    return;
  }
  std::vector<Envelope>& envelopes = due.mapped();
  if (prng_.OneIn(3)) {
    for (std::size_t i = envelopes.size(); i > 1; --i) {
      std::swap(envelopes[i - 1], envelopes[prng_.Below(i)]);
    }
  }
  for (const Envelope& envelope : envelopes) {
    DeliverOne(envelope);
  }
}

void FuzzWorld::DeliverOne(const Envelope& envelope) {
  ModelReplica& to = at(envelope.message.to.value);
  ModelReplica& from = at(envelope.from.value);
  if (!to.up() || cuts_.count({envelope.from.value, envelope.message.to.value}) != 0) {
    if (envelope.message.is_snapshot) {
      ReportSnapshot(envelope, /*failed=*/true);
    } else if (from.up()) {
      from.Alive(from.node().ReportUnreachable(to.id()));
    }
    return;
  }
  to.Alive(to.node().Step(envelope.message.bytes));
  if (envelope.message.is_snapshot) {
    ReportSnapshot(envelope, prng_.OneIn(8));
  }
}

void FuzzWorld::ReportSnapshot(const Envelope& envelope, bool failed) {
  ModelReplica& from = at(envelope.from.value);
  if (from.up() && !options_.mistakes.snapshots_not_reported) {
    from.Alive(from.node().ReportSnapshot(envelope.message.to, failed));
  }
}

// --- Clients and operators ---

void FuzzWorld::Propose() {
  ModelReplica* leader = proposing_ ? Leader() : nullptr;
  for (std::uint64_t i = prng_.Below(3); i > 0 && leader != nullptr; --i) {
    const std::size_t ballast = prng_.OneIn(8) ? prng_.Below(3000) : 0;
    std::string data = fmt::format("c{}", ++commands_);
    if (ballast > 0) {
      data.append(" ").append(ballast, 'x');
    }
    const std::string_view payload = data;
    const auto position = leader->node().Propose(std::span(&payload, 1));
    if (position) {
      ++report_.proposed;
      checker_.OnProposed(*position, std::move(data));
    }
  }
}

void FuzzWorld::AskRead() {
  if (!prng_.OneIn(8)) {
    return;
  }
  ModelReplica& replica = AnyReplica();
  if (!replica.up()) {
    return;
  }
  const std::string context = options_.mistakes.same_read_context
                                  ? fmt::format("{}", replica.id().value)
                                  : fmt::format("{}/{}", replica.id().value, ++reads_asked_);
  checker_.OnReadAsked(context);
  if (!replica.node().ReadIndex(context)) {
    checker_.OnReadRefused(context);
  }
}

void FuzzWorld::Transfer() {
  ModelReplica* leader = prng_.OneIn(100) ? Leader() : nullptr;
  if (leader != nullptr && leader->node().TransferLeader(AnyReplica().id())) {
    ++report_.transfers;
  }
}

void FuzzWorld::ChangeMembers() {
  ModelReplica* leader = replicas_.size() > 3 && prng_.OneIn(60) ? Leader() : nullptr;
  if (leader == nullptr) {
    return;
  }
  ConfChange change;
  if (!leader->status().joint) {
    change.transition = static_cast<ConfTransition>(prng_.Below(3));
    for (std::uint64_t i = 1 + prng_.Below(3); i > 0; --i) {
      change.changes.push_back({static_cast<ConfChangeKind>(prng_.Below(3)), AnyReplica().id()});
    }
  }
  if (leader->node().ProposeConfChange(change)) {
    ++report_.conf_changes;
  }
}

// --- Nemesis ---

void FuzzWorld::CrashSome() {
  const bool all = prng_.OneIn(400);
  const std::uint64_t one = prng_.OneIn(90) ? AnyReplica().id().value : 0;
  for (auto& [id, replica] : replicas_) {
    if (replica->up() && (all || id == one)) {
      replica->Crash(prng_.Below(replica->unsynced() + 1));
      ++report_.crashes;
    }
  }
}

void FuzzWorld::RestartSome() {
  for (auto& [id, replica] : replicas_) {
    if (!replica->up() && prng_.OneIn(15)) {
      replica->Start();
      checker_.CheckAlive(*replica);
    }
  }
}

void FuzzWorld::CutSome() {
  if (!prng_.OneIn(60)) {
    return;
  }
  if (prng_.OneIn(2)) {
    cuts_.clear();
    return;
  }
  const std::uint64_t lonely = AnyReplica().id().value;
  const bool both_ways = prng_.OneIn(2);
  for (const auto& [id, replica] : replicas_) {
    if (id != lonely) {
      cuts_.insert({lonely, id});
      if (both_ways) {
        cuts_.insert({id, lonely});
      }
    }
  }
}

// --- The end ---

void FuzzWorld::Quiesce(int turns) {
  for (int i = 0; i < turns && !Stopped(); ++i) {
    Turn(/*chaos=*/false);
  }
}

void FuzzWorld::Heal() {
  cuts_.clear();
  for (auto& [id, replica] : replicas_) {
    if (!replica->up()) {
      replica->Start();
      checker_.CheckAlive(*replica);
    }
  }
  Quiesce(options_.heal_turns);
  LeaveJoint();
  proposing_ = false;
  Quiesce(options_.heal_turns);
  if (!Stopped()) {
    CheckHealed();
  }
}

void FuzzWorld::LeaveJoint() {
  for (int i = 0; i < 20 && !Stopped(); ++i) {
    ModelReplica* leader = Leader();
    if (leader != nullptr && !leader->status().joint) {
      return;
    }
    if (leader != nullptr && leader->node().ProposeConfChange({})) {
      ++report_.conf_changes;
    }
    Quiesce(50);
  }
}

void FuzzWorld::CheckHealed() {
  const ModelReplica* leader = Leader();
  if (leader == nullptr) {
    checker_.Fail("no leader after healing");
    return;
  }
  checker_.CheckComplete(*leader);
  for (const auto& [id, replica] : replicas_) {
    if (!leader->disk().conf_state.Contains(replica->id())) {
      continue;
    }
    if (replica->disk().applied != leader->disk().applied) {
      checker_.Fail(fmt::format("replica {} is at {} after healing, the leader at {}", id,
                                replica->disk().applied.value, leader->disk().applied.value));
    } else if (replica->disk().state != leader->disk().state) {
      checker_.Fail(fmt::format("replica {} has another state than the leader", id));
    }
  }
}

}  // namespace quorate::consensus::testing
