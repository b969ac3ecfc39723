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

// What the inner mode opens, with somebody who looks.
class Group::ObservedMode final : public txn::LogMode {
 public:
  ObservedMode(ReplicaId id, txn::LogMode& inner, LogObserver& observer)
      : id_(id), inner_(inner), observer_(observer) {}

  std::string_view name() const override { return inner_.name(); }
  Status Bootstrap(const txn::LogModeParts& parts) override { return inner_.Bootstrap(parts); }
  std::unique_ptr<log::LogManager> Open(const txn::LogModeParts& parts) override {
    return std::make_unique<ObservedLog>(id_, inner_.Open(parts), observer_);
  }

 private:
  const ReplicaId id_;
  txn::LogMode& inner_;
  LogObserver& observer_;
};

Group::Group(const GroupOptions& options)
    : env_(options.seed), network_(options.seed, [this](const raft::Message& message) {
        OnStrand(message.to, [message](raft::Replica& replica) { replica.Step(message); });
      }) {
  std::vector<ReplicaId> voters;
  for (std::uint64_t id = 1; id <= options.replicas; ++id) {
    voters.push_back(ReplicaId{id});
  }
  for (const ReplicaId id : voters) {
    members_[id] = NewMember(id, voters, options);
  }
}

std::unique_ptr<Group::Member> Group::NewMember(ReplicaId id, const std::vector<ReplicaId>& voters,
                                                const GroupOptions& options) {
  auto member = std::make_unique<Member>();
  if (options.local_log) {
    QUORATE_CHECK(voters.size() == 1);
    member->inner = txn::NewLocalMode();
  } else {
    auto mode = std::make_unique<ReplicaMode>(id, voters, network_.transport(),
                                              Seeded(options.replica, options.seed));
    member->raft = mode.get();
    member->inner = std::move(mode);
  }
  if (options.observer != nullptr) {
    member->observed = std::make_unique<ObservedMode>(id, *member->inner, *options.observer);
  }
  txn::LogMode& mode = member->observed != nullptr ? *member->observed : *member->inner;
  member->node = std::make_unique<txn::Node>(env_, mode, options.transactions);
  return member;
}

Group::~Group() = default;

std::vector<ReplicaId> Group::ids() const {
  std::vector<ReplicaId> ids;
  for (const auto& [id, member] : members_) {
    ids.push_back(id);
  }
  return ids;
}

Status Group::Start(ReplicaId id) {
  ++members_.at(id)->lives;
  return node(id).Open();
}

Status Group::StartAll() {
  for (const ReplicaId id : ids()) {
    QUORATE_TRY(Start(id));
  }
  return Ok();
}

void Group::OnStrand(ReplicaId id, std::function<void(raft::Replica&)> act) {
  if (up(id) && members_.at(id)->raft != nullptr) {
    node(id).process().strand().Post(
        [this, id, act = std::move(act)] { act(members_.at(id)->raft->replica()); });
  }
}

void Group::BeginTurn() {
  env_.Pass(kTurn);
  network_.Turn();
  for (const ReplicaId id : ids()) {
    if ((turns_ + id.value) % kTurnsPerTick == 0 && !members_.at(id)->clock_stands) {
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
      node(id).process().strand().Post([this, &leading, id] {
        const log::LogStatus status = node(id).log().status();
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
