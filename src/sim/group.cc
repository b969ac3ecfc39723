#include "sim/group.h"

#include <utility>

#include "base/check.h"

namespace quorate::sim {
namespace {

raft::ReplicaOptions Seeded(raft::ReplicaOptions options, std::uint64_t seed) {
  options.seed = seed * 2 + 1;  // The engine adds the replica's id.
  return options;
}

}  // namespace

Group::Member::Member(Group& group, ReplicaId id, const std::vector<ReplicaId>& voters,
                      const GroupOptions& options)
    : mode(id, voters, group.network_.transport(), Seeded(options.replica, options.seed)),
      node(group.env_, mode, options.transactions) {
}

Group::Group(const GroupOptions& options)
    : env_(options.seed), network_(options.seed, [this](const raft::Message& message) {
        OnStrand(message.to, [message](raft::Replica& replica) { replica.Step(message); });
      }) {
  std::vector<ReplicaId> voters;
  for (std::uint64_t id = 1; id <= options.replicas; ++id) {
    voters.push_back(ReplicaId{id});
  }
  for (const ReplicaId id : voters) {
    members_[id] = std::make_unique<Member>(*this, id, voters, options);
  }
}

Group::~Group() = default;

std::vector<ReplicaId> Group::ids() const {
  std::vector<ReplicaId> ids;
  for (const auto& [id, member] : members_) {
    ids.push_back(id);
  }
  return ids;
}

Status Group::StartAll() {
  for (const ReplicaId id : ids()) {
    QUORATE_TRY(Start(id));
  }
  return Ok();
}

void Group::OnStrand(ReplicaId id, std::function<void(raft::Replica&)> act) {
  if (up(id)) {
    node(id).process().strand().Post(
        [this, id, act = std::move(act)] { act(static_cast<raft::Replica&>(node(id).log())); });
  }
}

void Group::BeginTurn() {
  env_.Pass(kTurn);
  network_.Turn();
  for (const ReplicaId id : ids()) {
    if ((turns_ + id.value) % kTurnsPerTick == 0) {
      OnStrand(id, [](raft::Replica& replica) { replica.Tick(); });
    }
  }
  ++turns_;
}

void Group::Turn() {
  BeginTurn();
  env_.RunUntilIdle();
}

void Group::Settle() {
  env_.RunUntilIdle();
  while (!network_.empty()) {
    network_.Turn();
    env_.RunUntilIdle();
  }
}

bool Group::TurnUntil(const std::function<bool()>& done, std::uint64_t turns_max) {
  env_.RunUntilIdle();
  for (std::uint64_t turn = 0; !done(); ++turn) {
    if (turn == turns_max) {
      return false;
    }
    Turn();
  }
  return true;
}

std::optional<ReplicaId> Group::leader() {
  std::map<Term, ReplicaId> leading;
  for (const ReplicaId id : ids()) {
    if (up(id) && node(id).manager().status().leading) {
      OnStrand(id, [&leading, id](raft::Replica& replica) {
        const log::LogStatus status = replica.status();
        if (status.leading) {
          leading[status.term] = id;
        }
      });
    }
  }
  env_.RunUntilIdle();
  return leading.empty() ? std::nullopt : std::optional(leading.rbegin()->second);
}

std::optional<ReplicaId> Group::AwaitLeader(std::uint64_t turns_max) {
  std::optional<ReplicaId> found;
  TurnUntil([&] { return (found = leader()).has_value(); }, turns_max);
  return found;
}

bool Group::MoveLeader(ReplicaId to, std::uint64_t turns_max) {
  return TurnUntil(
      [this, to] {
        const std::optional<ReplicaId> from = leader();
        if (from && from != to) {
          OnStrand(*from, [to](raft::Replica& replica) {
            static_cast<void>(replica.TransferLeadership(to));  // Asked again if refused.
          });
        }
        return from == to;
      },
      turns_max);
}

}  // namespace quorate::sim
