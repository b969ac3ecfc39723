#include "raft/testing/fuzz.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "raft/testing/cluster.h"

namespace quorate::raft {
namespace {

constexpr Weather kStorm{.drop_percent = 4, .duplicate_percent = 2, .delay_turns_max = 4};

ClusterOptions ClusterFor(const FuzzOptions& options) {
  ClusterOptions cluster;
  cluster.replicas = options.replicas;
  cluster.seed = options.seed;
  cluster.lazy_machines = true;
  // Small, so that every limit is met.
  cluster.replica.inflight_messages_max = 8;
  cluster.replica.message_bytes_max = 2048;
  cluster.replica.uncommitted_bytes_max = 16 << 10;
  cluster.replica.committed_bytes_per_ready_max = 2048;
  cluster.replica.unapplied_bytes_max = 4096;
  cluster.replica.cache_bytes_max = 1024;
  cluster.replica.gathered_entries_max = 4;
  cluster.replica.gathered_bytes_max = 512;
  cluster.replica.testing = options.unsafe;
  return cluster;
}

class Storm final : public MachineObserver {
 public:
  explicit Storm(const FuzzOptions& options)
      : options_(options), prng_(options.seed * 7 + 3), cluster_(ClusterFor(options), *this) {}

  FuzzResult Run();

  void OnCommitted(ReplicaId at, const consensus::Entry& entry) override;
  void OnLeading(ReplicaId at, Term term, Lsn no_op) override;
  void OnFollowing(ReplicaId, Term, ReplicaId) override {}
  void OnFenced(ReplicaId at, const Error& reason) override {
    Violate("replica " + std::to_string(at.value) + " is fenced: " + reason.message());
  }

 private:
  struct Proposal {
    ReplicaId proposer;
    std::string data;
  };

  void Violate(const std::string& what) {
    if (!result_.violation) {
      result_.violation = what;
    }
  }
  void Mix(std::uint64_t value) { result_.digest = (result_.digest ^ value) * 0x100000001b3ULL; }

  void Turn(bool storm);
  void Damage();
  void Weathering();
  void Work(ReplicaId id, bool storm);
  void Propose(ReplicaId id);
  void Read(ReplicaId id);
  void NoteLeader(ReplicaId id);
  void NoteLeaderOf(Term term, ReplicaId id);
  void Acknowledge(Lsn lsn, const std::string& data);
  void ChangeMembers(ReplicaId at, ReplicaId member);
  void Restart(ReplicaId id);
  void Calm();
  void CheckHealed();
  ReplicaId Anyone() { return ReplicaId{1 + prng_.Below(options_.replicas)}; }

  const FuzzOptions options_;
  Prng prng_;
  FuzzResult result_;
  std::map<Lsn, consensus::Entry> truth_;  // What any replica was handed.
  std::map<std::string, Lsn> places_;      // Of its entries.
  std::map<Position, Proposal> open_;      // Appended, fate unknown.
  std::map<Lsn, std::string> acknowledged_;
  std::map<Term, ReplicaId> leaders_;
  Lsn handed_out_;  // The highest in truth_.
  int proposals_ = 0;
  bool proposing_ = true;
  Cluster cluster_;  // Last: what it tells while it goes needs the rest.
};

void Storm::OnCommitted(ReplicaId at, const consensus::Entry& entry) {
  const auto [known, fresh] = truth_.emplace(entry.lsn, entry);
  if (!fresh && known->second != entry) {
    Violate("entries differ at " + std::to_string(entry.lsn.value));
  }
  if (fresh && entry.data.starts_with("e") && !places_.emplace(entry.data, entry.lsn).second) {
    Violate("entry " + entry.data.substr(0, 10) + " is committed twice");
  }
  handed_out_ = std::max(handed_out_, entry.lsn);
  const auto open = open_.find(entry.position());
  if (open == open_.end()) {
    return;
  }
  if (open->second.data != entry.data) {
    Violate("another entry stands at " + std::to_string(entry.lsn.value));
  }
  if (open->second.proposer == at) {
    Acknowledge(entry.lsn, entry.data);
    open_.erase(open);
  }
}

void Storm::Acknowledge(Lsn lsn, const std::string& data) {
  ++result_.acknowledged;
  acknowledged_[lsn] = data;
  Mix(lsn.value);
}

void Storm::OnLeading(ReplicaId at, Term term, Lsn /*no_op*/) {
  ++result_.leaderships;
  NoteLeaderOf(term, at);
}

void Storm::NoteLeaderOf(Term term, ReplicaId id) {
  if (leaders_.emplace(term, id).first->second != id) {
    Violate("term " + std::to_string(term.value) + " has two leaders");
  }
}

void Storm::NoteLeader(ReplicaId id) {
  const log::LogStatus status = cluster_.replica(id)->status();
  if (status.leader == id) {
    NoteLeaderOf(status.term, id);
  }
}

void Storm::Propose(ReplicaId id) {
  Replica& replica = *cluster_.replica(id);
  if (!proposing_ || !replica.status().leading) {
    return;
  }
  for (std::uint64_t burst = prng_.Below(3); burst > 0; --burst) {
    std::string data = "e" + std::to_string(++proposals_) + " ";
    data.append(prng_.OneIn(8) ? prng_.Below(3000) : prng_.Below(20), 'x');
    const Result<Position> position = replica.Append(data);
    if (position && options_.acknowledge_at_append) {
      Acknowledge(position->lsn, data);
    } else if (position) {
      open_[*position] = {.proposer = id, .data = std::move(data)};
    }
  }
}

void Storm::Read(ReplicaId id) {
  const Lsn floor = handed_out_;
  cluster_.replica(id)->ReadBarrier([this, floor](Result<Lsn> lsn) {
    if (!lsn) {
      return;
    }
    ++result_.reads;
    if (*lsn < floor) {
      Violate("a read at " + std::to_string(lsn->value) + " misses " + std::to_string(floor.value));
    }
  });
}

// What one replica's owner does in one turn, in a task of its own each.
void Storm::Work(ReplicaId id, bool storm) {
  if (!cluster_.up(id)) {
    return;
  }
  if (prng_.OneIn(3)) {
    cluster_.Post(id, [this, id] { cluster_.replica(id)->Tick(); });
  }
  cluster_.Post(id, [this, id] { Propose(id); });
  if (prng_.OneIn(8)) {
    cluster_.Post(id, [this, id] { Read(id); });
  }
  const std::uint64_t apply = storm ? prng_.Below(6) : 100;
  cluster_.Post(id, [this, id, apply] {
    cluster_.machine(id).ApplySome(static_cast<std::size_t>(apply));
    NoteLeader(id);
  });
  if (prng_.OneIn(40)) {
    const std::uint64_t keep = prng_.Below(10);
    cluster_.Post(id, [this, id, keep] {
      const std::uint64_t applied = cluster_.machine(id).applied().lsn.value;
      cluster_.replica(id)->Compact(Lsn{applied - std::min(keep, applied)});
    });
  }
}

void Storm::Turn(bool storm) {
  cluster_.network().Turn();
  for (const ReplicaId id : cluster_.ids()) {
    Work(id, storm);
  }
  if (!storm || prng_.OneIn(2)) {
    cluster_.env().RunUntilIdle();
  } else {
    for (std::uint64_t tasks = prng_.Below(30); tasks > 0 && cluster_.env().RunOne(); --tasks) {
    }
  }
  if (storm) {
    Damage();
    Weathering();
  }
}

void Storm::Damage() {
  for (const ReplicaId id : cluster_.ids()) {
    const bool all = prng_.OneIn(1500);
    if (cluster_.up(id) && (all || prng_.OneIn(options_.turns_per_crash))) {
      ++result_.crashes;
      cluster_.Crash(id, prng_);
    } else if (!cluster_.up(id) && prng_.OneIn(15)) {
      Restart(id);
    }
    if (cluster_.up(id) && prng_.OneIn(40)) {
      cluster_.disk(id).Shut();
    } else if (cluster_.up(id) && prng_.OneIn(6)) {
      cluster_.disk(id).Open();
    } else if (cluster_.up(id)) {
      cluster_.disk(id).LetThrough(static_cast<std::size_t>(prng_.Below(2)));
    }
  }
}

void Storm::Weathering() {
  if (prng_.OneIn(50)) {
    cluster_.network().Heal();
    const ReplicaId lonely = Anyone();
    const bool both_ways = prng_.OneIn(2);
    for (const ReplicaId other : cluster_.ids()) {
      if (other != lonely && !prng_.OneIn(3)) {
        cluster_.network().Cut(lonely, other);
        if (both_ways) {
          cluster_.network().Cut(other, lonely);
        }
      }
    }
  } else if (prng_.OneIn(30)) {
    cluster_.network().Heal();
  }
  if (prng_.OneIn(50)) {
    const ReplicaId from = Anyone();
    const ReplicaId to = Anyone();
    cluster_.Post(from, [this, from, to] {
      result_.transfers += cluster_.replica(from)->TransferLeadership(to) ? 1 : 0;
    });
  }
  if (options_.replicas > 2 && prng_.OneIn(40)) {
    ChangeMembers(Anyone(), Anyone());
  }
  if (prng_.OneIn(options_.turns_per_campaign)) {
    const ReplicaId id = Anyone();
    cluster_.Post(id, [this, id] {
      const Status ignored = cluster_.replica(id)->Campaign();
      Mix(ignored ? 1 : 2);
    });
  }
}

// Takes a vote or gives it back. Two voters always stay: a group of one has no one to change with.
void Storm::ChangeMembers(ReplicaId at, ReplicaId member) {
  const auto kind = prng_.OneIn(3) ? consensus::ConfChangeKind::kAddLearner
                                   : consensus::ConfChangeKind::kAddVoter;
  const auto transition =
      prng_.OneIn(2) ? consensus::ConfTransition::kAuto : consensus::ConfTransition::kImplicit;
  cluster_.Post(at, [this, at, member, kind, transition] {
    Replica& replica = *cluster_.replica(at);
    if (kind == consensus::ConfChangeKind::kAddLearner && replica.status().voters.size() < 3) {
      return;
    }
    const Result<Position> position = replica.ProposeConfChange(
        {.transition = transition, .changes = {{.kind = kind, .replica = member}}, .context = {}});
    result_.conf_changes += position ? 1 : 0;
  });
}

void Storm::Restart(ReplicaId id) {
  const Status started = cluster_.Start(id);
  if (!started) {
    Violate("replica " + std::to_string(id.value) +
            " cannot restart: " + started.error().ToString());
  }
}

void Storm::Calm() {
  cluster_.network().Heal();
  cluster_.network().set_weather({});
  for (const ReplicaId id : cluster_.ids()) {
    if (!cluster_.up(id)) {
      Restart(id);
    }
    if (cluster_.up(id)) {
      cluster_.disk(id).Open();
    }
  }
  for (int turn = 0; turn < options_.calm_turns && !result_.violation; ++turn) {
    proposing_ = turn < options_.calm_turns / 2;
    Turn(/*storm=*/false);
  }
}

void Storm::CheckHealed() {
  std::vector<ReplicaId> leaders;
  for (const ReplicaId id : cluster_.ids()) {
    const log::LogStatus status = cluster_.StatusOf(id);
    if (status.leading) {
      leaders.push_back(id);
    }
    Mix(status.applied.value);
  }
  if (leaders.size() != 1) {
    Violate(std::to_string(leaders.size()) + " leaders after the storm");
    return;
  }
  const std::map<Lsn, std::string>& state = cluster_.machine(leaders.front()).state();
  for (const auto& [lsn, data] : acknowledged_) {
    const auto kept = state.find(lsn);
    if (kept == state.end() || kept->second != data) {
      Violate("acknowledged entry " + std::to_string(lsn.value) + " is lost");
    }
  }
  for (const ReplicaId id : cluster_.ids()) {
    if (cluster_.machine(id).state() != state) {
      Violate("replica " + std::to_string(id.value) + " has another state after the storm");
    }
  }
}

FuzzResult Storm::Run() {
  for (const ReplicaId id : cluster_.ids()) {
    Restart(id);
  }
  cluster_.network().set_weather(kStorm);
  for (int turn = 0; turn < options_.storm_turns && !result_.violation; ++turn) {
    Turn(/*storm=*/true);
  }
  if (!result_.violation) {
    Calm();
  }
  if (!result_.violation) {
    CheckHealed();
  }
  Mix(cluster_.network().digest());
  return result_;
}

}  // namespace

FuzzResult RunFuzz(const FuzzOptions& options) {
  Storm storm(options);
  return storm.Run();
}

}  // namespace quorate::raft
