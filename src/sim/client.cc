#include "sim/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::sim {
namespace {

constexpr int kPatience = 60;  // Turns until the answer is given up.

}  // namespace

Client::Client(std::string name, const Workload& workload, Group& group, Oracle& oracle,
               std::uint64_t seed)
    : name_(std::move(name)),
      workload_(workload),
      group_(group),
      oracle_(oracle),
      prng_(seed),
      at_(group.ids().front()) {
  if (prng_.OneIn(4)) {
    workload_.unchanged *= 5;  // One who mostly asks.
  }
}

std::string Client::DebugString() const {
  return fmt::format("{} {} {}", name_, intent_ == nullptr ? "-" : intent_->name,
                     reading_ ? "reading" : "");
}

void Client::Step(bool finishing) {
  DropWhatDied();
  MoveHouse(finishing);
  if (reading_) {
    return;
  }
  if (intent_ == nullptr) {
    if (!finishing && prng_.OneIn(3)) {
      WantSomething();
    } else if (prng_.OneIn(12)) {
      AskForRead();
    }
    return;
  }
  switch (phase_) {
    case Phase::kBegin:
      if (prng_.OneIn(finishing ? 2 : 4)) {
        Begin();
      }
      break;
    case Phase::kOpen:
      if (!finishing && prng_.Below(100) < workload_.abandoned) {
        open_.reset();  // Leaves no trace.
        oracle_.Abandon(*intent_, attempt_);
        Done();
      } else if (prng_.OneIn(3)) {
        Commit();
      }
      break;
    case Phase::kWaiting:
      if (prng_.Below(100) < workload_.given_up) {
        LoseInterest();
      } else if (prng_.Below(100) < workload_.impatient) {
        TryAgainAtOnce();
      } else if (++turns_waited_ > kPatience) {
        oracle_.Lose(*intent_, attempt_);
        Retry();
      }
      break;
  }
}

void Client::DropWhatDied() {
  if (group_.up(at_) && group_.lives(at_) == life_) {
    return;
  }
  life_ = group_.lives(at_);
  reading_ = false;
  open_.reset();
  if (intent_ != nullptr && phase_ != Phase::kBegin) {
    oracle_.Lose(*intent_, attempt_);
    Retry();
  }
}

// Now and then the network lets a client see one node only.
void Client::MoveHouse(bool finishing) {
  if (finishing) {
    home_.reset();
  } else if (prng_.OneIn(50)) {
    const std::vector<ReplicaId> ids = group_.ids();
    home_ = prng_.OneIn(5) ? std::optional(ids[prng_.Below(ids.size())]) : std::nullopt;
  }
}

// Mostly one that leads, or thinks so.
ReplicaId Client::ChooseNode() {
  if (home_) {
    return group_.up(*home_) ? *home_ : ReplicaId{0};
  }
  std::vector<ReplicaId> up;
  std::vector<ReplicaId> leading;
  for (const ReplicaId id : group_.ids()) {
    if (group_.up(id)) {
      up.push_back(id);
      if (group_.node(id).manager().status().leading) {
        leading.push_back(id);
      }
    }
  }
  if (!leading.empty() && !prng_.OneIn(8)) {
    return leading[prng_.Below(leading.size())];
  }
  return up.empty() ? ReplicaId{0} : up[prng_.Below(up.size())];
}

void Client::WantSomething() {
  const ReplicaId at = ChooseNode();
  if (at.value == 0) {
    return;
  }
  const Result<txn::Snapshot> snapshot = group_.node(at).manager().LocalSnapshot();
  if (!snapshot) {
    return;
  }
  const std::string object = fmt::format("o{}-{}", name_, ++objects_made_);
  Spec spec = SpecMaker(workload_, prng_).Make(*snapshot, object);
  if (spec.reads.empty() && spec.only_reads()) {
    return;
  }
  at_ = at;
  life_ = group_.lives(at);
  Want(std::move(spec));
  Begin();
}

void Client::Want(Spec spec) {
  intent_ = &oracle_.NewIntent(name_, std::move(spec));
  tries_ = 0;
  phase_ = Phase::kBegin;
}

void Client::Begin() {
  if (tries_++ > 0 || !group_.up(at_)) {
    const ReplicaId at = ChooseNode();
    if (at.value == 0) {
      return;
    }
    at_ = at;
    life_ = group_.lives(at);
  }
  txn::Node& node = group_.node(at_);
  txn::TransactionOptions options;
  options.isolation =
      intent_->spec.serializable ? txn::Isolation::kSerializable : txn::Isolation::kSnapshot;
  options.all_or_nothing = intent_->spec.atomic;
  options.actor = intent_->ActorOf(intent_->attempts.size());
  options.id = intent_->id;
  Result<txn::Transaction> begun = node.manager().Begin(std::move(options));
  if (!begun) {
    if (begun.error().code() == Code::kAlreadyExists) {
      oracle_.Resolve(*intent_, node.manager().LocalSnapshot()->FindTransaction(intent_->id));
      Done();
    }
    return;
  }
  attempt_ = oracle_.BeginAttempt(*intent_, at_, begun->snapshot());
  Status staged = Stage(intent_->spec, *begun);
  staged = staged ? StagePacks(*begun) : staged;
  if (!staged) {
    oracle_.CannotStage(*intent_, attempt_, staged.error());
    Done();
    return;
  }
  open_ = *std::move(begun);
  phase_ = Phase::kOpen;
}

Status Client::StagePacks(txn::Transaction& transaction) {
  git::FakePacks& packs = group_.node(at_).packs;
  for (const PackWrite& pack : intent_->spec.packs) {
    auto quarantined =
        pack.beside_the_log ? packs.NewSideStored(pack.Bytes()) : packs.NewInline(pack.Bytes());
    QUORATE_TRY(quarantined->Persist());
    QUORATE_TRY(transaction.StagePack(pack.repository, std::move(quarantined)));
  }
  return Ok();
}

void Client::Commit() {
  phase_ = Phase::kWaiting;
  turns_waited_ = 0;
  txn::Transaction transaction = *std::exchange(open_, std::nullopt);
  oracle_.Ask(*intent_, attempt_);
  pending_ = group_.node(at_).manager().Commit(
      std::move(transaction),
      [this, intent = intent_, attempt = attempt_](Result<txn::CommitOutcome> answer) {
        oracle_.Answer(*intent, attempt, answer);
        if (intent == intent_ && attempt == attempt_ && phase_ == Phase::kWaiting) {
          OnAnswer(answer);
        }
      });
}

// The answer comes all the same: cancelled, unknown, or what became of it.
void Client::LoseInterest() {
  if (prng_.OneIn(2)) {
    pending_->Cancel();
  } else {
    pending_->GiveUp();
  }
}

// The first attempt may be under way still; whatever is heard of it is told to the oracle only.
void Client::TryAgainAtOnce() {
  oracle_.Lose(*intent_, attempt_);
  Retry();
  Begin();
  if (phase_ == Phase::kOpen && prng_.OneIn(2)) {
    Commit();
  }
}

void Client::OnAnswer(const Result<txn::CommitOutcome>& answer) {
  if (answer) {
    Done();
    return;
  }
  switch (answer.error().code()) {
    case Code::kCancelled:
    case Code::kConflict:
      Done();
      return;
    default:
      // kAlreadyExists too: the next Begin() says where.
      Retry();
  }
}

void Client::Done() {
  intent_ = nullptr;
  open_.reset();
  phase_ = Phase::kBegin;
}

void Client::Retry() {
  open_.reset();
  phase_ = Phase::kBegin;
}

void Client::AskForRead() {
  const ReplicaId at = ChooseNode();
  if (at.value == 0) {
    return;
  }
  at_ = at;
  life_ = group_.lives(at);
  const Read read = SpecMaker(workload_, prng_).SomeRead();
  if (prng_.OneIn(2) && ReadAtOnce(read)) {
    return;
  }
  reading_ = true;
  group_.node(at).manager().ReadSnapshot([this, read, floor = oracle_.ReadFloor(),
                                          number = ++read_number_](Result<txn::Snapshot> snapshot) {
    if (snapshot) {
      oracle_.CheckRead(*snapshot, floor, read);
    }
    if (number == read_number_) {
      reading_ = false;
    }
  });
}

// As whoever serves reads does: without a barrier, if the replica says that none is needed.
bool Client::ReadAtOnce(const Read& read) {
  const txn::TransactionManager& manager = group_.node(at_).manager();
  const std::optional<Lsn> current = manager.CurrentLsn();
  if (!current) {
    return false;
  }
  if (const Result<txn::Snapshot> snapshot = manager.LocalSnapshot()) {
    oracle_.NoteCurrentRead();
    oracle_.CheckRead(*snapshot, std::max(*current, oracle_.CurrentFloor()), read);
  }
  return true;
}

}  // namespace quorate::sim
