// The ready loop of a Replica. The order of the steps binds; README.md says why.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/fault_point.h"
#include "raft/replica.h"

namespace quorate::raft {
namespace {

struct Gathered final : consensus::EntrySink {
  void Push(const consensus::EntryView& entry) override {
    entries.push_back(consensus::Entry::From(entry));
  }
  std::vector<consensus::Entry> entries;
};

}  // namespace

// Posted, so that whatever comes in one burst shares the readies, and so the messages and syncs.
void Replica::ScheduleDrain() {
  if (drain_posted_) {
    return;
  }
  drain_posted_ = true;
  strand_.Post([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) {
      Drain();
    }
  });
}

void Replica::Drain() {
  strand_.AssertCurrent();
  drain_posted_ = false;
  if (!running() || !Survives(FlushBurst())) {
    return;
  }
  do {
    while (running() && node_->HasReady()) {
      if (!Survives(HandleReady())) {
        return;
      }
    }
    if (!running()) {
      return;
    }
    if (node_->poisoned()) {
      Fence(Error(Code::kCorruption, node_->poison_reason()));
      return;
    }
  } while (AskForReads() || CampaignIfAlone());
  if (!Survives(DeliverHeldBack())) {
    return;
  }
  AnnounceLeading();
  const consensus::NodeStatus now = node_->status();
  view_.Trim(now.applied, now.persisted, options_.cache_bytes_max);
}

// Nothing may touch the engine between TakeReady() and AdvanceAppend(); nothing that calls out to
// the machine stands before the latter.
Status Replica::HandleReady() {
  consensus::Ready ready = QUORATE_TRY(node_->TakeReady());
  if (ready.checkpoint) {
    return Error(Code::kInternal, "the engine has a checkpoint that nobody sent");
  }
  // At once: followers write while we do.
  Send(std::exchange(ready.messages, {}));
  QUORATE_TRY(view_.Append(ready.entries));
  Persist(ready);
  QUORATE_TRY(node_->AdvanceAppend());
  const consensus::NodeStatus now = node_->status();  // What the ready was about.
  SettleDurable();
  if (!running()) {
    return Ok();
  }

  AnswerReads(ready.reads);
  Deliver(ready.committed);
  return running() ? NoteRole(now, ready.entries) : Ok();
}

void Replica::Send(std::vector<consensus::OutgoingMessage> messages) {
  for (consensus::OutgoingMessage& message : messages) {
    QUORATE_CHECK(!message.is_snapshot);  // LogView has no checkpoints to give.
    QUORATE_FAULT("raft.before_send");
    transport_.Send({.partition = partition_,
                     .from = identity_.replica,
                     .to = message.to,
                     .bytes = std::move(message.bytes),
                     .is_checkpoint = false,
                     .truncated = view_.truncated().lsn});
  }
}

// Entries and hard state of one ready are one request: a replica never restarts with the one and
// without the other.
void Replica::Persist(consensus::Ready& ready) {
  log::PersistRequest request{.partition = partition_,
                              .entries = {},
                              .hard_state = ready.hard_state,
                              .must_sync = ready.must_sync};
  request.entries.reserve(ready.entries.size());
  for (const consensus::EntryView& entry : ready.entries) {
    request.entries.push_back(consensus::Entry::From(entry));
  }
  if (options_.testing.send_before_persist) {
    Send(std::exchange(ready.persisted_messages, {}));
  }
  if (options_.testing.skip_sync) {
    request.must_sync = false;
  }

  std::optional<consensus::HardState> apart;  // Only ever in tests.
  if (options_.testing.split_hard_state) {
    apart = std::exchange(request.hard_state, std::nullopt);
  }

  const bool writes = !request.entries.empty() || request.hard_state.has_value();
  persists_.Push({.number = ready.number,
                  .writing = writes,
                  .messages = std::exchange(ready.persisted_messages, {})});
  if (writes) {
    QUORATE_FAULT("raft.before_persist");
    ++writes_under_way_;
    logs_.Persist(std::move(request), strand_, [this, apart, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) {
        OnPersisted();
        PersistApart(apart);
      }
    });
  } else {
    PersistApart(apart);
  }
}

void Replica::PersistApart(const std::optional<consensus::HardState>& hard_state) {
  if (hard_state) {
    logs_.Persist({.partition = partition_, .hard_state = hard_state, .must_sync = false}, strand_,
                  [] {});
  }
}

void Replica::OnPersisted() {
  strand_.AssertCurrent();
  QUORATE_FAULT("raft.after_persist");
  QUORATE_CHECK(writes_under_way_ > 0);
  --writes_under_way_;
  if (stopping_) {
    if (writes_under_way_ == 0) {
      FinishStop();
    }
    return;
  }
  if (!running() || !Survives(FlushBurst())) {
    return;
  }
  persists_.Written();
  SettleDurable();
  if (running()) {
    ScheduleDrain();
  }
}

// The engine first, then the messages: they promise what the engine must know to be durable.
void Replica::SettleDurable() {
  while (auto ticket = persists_.Pop()) {
    if (!Survives(node_->OnPersist(ticket->number))) {
      return;
    }
    Send(std::move(ticket->messages));
  }
}

// What the machine has no room for is left in the log: DeliverHeldBack() reads it from there.
void Replica::Deliver(std::span<const consensus::EntryView> committed) {
  std::vector<consensus::Entry> fresh;
  Lsn known;
  for (const consensus::EntryView& view : committed) {
    if (view.type != consensus::EntryType::kNormal && view.lsn > conf_known_) {
      conf_changes_.push_back(consensus::Entry::From(view));
    }
    if (view.lsn <= window_.delivered()) {
      known = view.lsn;
      unsaved_bytes_ += view.data.size();
    } else if (!window_.holds_back() && window_.Take(view.data.size())) {
      QUORATE_CHECK(view.lsn == window_.delivered());
      fresh.push_back(consensus::Entry::From(view));
    }
    window_.Committed(view.lsn);
  }
  if (known.value != 0) {
    ApplyTo(known);
  }
  if (running() && !fresh.empty()) {
    machine_->OnCommitted(std::move(fresh));
  }
}

// A piece at a time, so that the machine may begin with one while the next is read.
Status Replica::DeliverHeldBack() {
  while (running() && window_.holds_back() && window_.room() > 0) {
    const std::size_t piece = std::min(window_.room(), options_.committed_bytes_per_ready_max);
    Gathered gathered;
    QUORATE_TRY(
        view_.Entries(window_.delivered().Next(), window_.committed().Next(), piece, gathered));
    std::vector<consensus::Entry> fresh;
    for (consensus::Entry& entry : gathered.entries) {
      if (!window_.Take(entry.data.size())) {
        break;
      }
      fresh.push_back(std::move(entry));
    }
    if (fresh.empty()) {
      break;
    }
    machine_->OnCommitted(std::move(fresh));
  }
  return Ok();
}

void Replica::AnswerReads(const std::vector<consensus::ReadState>& reads) {
  for (const consensus::ReadState& read : reads) {
    reads_.Answer(read.context, read.lsn);
  }
}

// True if a question went to the engine. One that it would not take yet (no leader, or nothing
// committed in this term) is tried again when something has happened.
bool Replica::AskForReads() {
  if (!reads_.WantsToAsk()) {
    return false;
  }
  const Status asked = node_->ReadIndex(reads_.Ask());
  if (asked) {
    return true;
  }
  reads_.Unasked();
  if (node_->poisoned()) {
    Fence(asked.error());
  }
  return false;
}

// Nobody else can lead, so no timeout is waited for. The engine does not campaign over changes of
// the configuration that are committed and not applied; it looks for them in all that is not
// applied, at once and in memory, hence not before that is little.
bool Replica::CampaignIfAlone() {
  if (!running() || !campaign_at_start_ || !conf_changes_.empty() || window_.holds_back()) {
    return false;
  }
  campaign_at_start_ = false;
  // Somebody may have called Campaign() before us; the engine refuses a second one until the first
  // entry of that term is on disk.
  const bool leads = node_->status().role == consensus::Role::kLeader;
  return sole_voter() && !leads && Survives(node_->Campaign());
}

Status Replica::NoteRole(const consensus::NodeStatus& now,
                         std::span<const consensus::EntryView> appended) {
  const bool leads = now.role == consensus::Role::kLeader;
  if (leading_ && (!leads || leading_->term != now.term)) {
    LoseLeadership(now);
  } else if (!leads && (now.term != seen_term_ || now.leader != seen_leader_)) {
    seen_term_ = now.term;
    seen_leader_ = now.leader;
    reads_.AskAgain();
    machine_->OnFollowing(now.term, now.leader);
  }
  if (running() && leads && !leading_) {
    // The entries of a term are its leader's; the first of them is the no-op.
    for (const consensus::EntryView& entry : appended) {
      if (entry.term == now.term) {
        leading_ = Leadership{.term = now.term, .no_op = entry.lsn};
        break;
      }
    }
    if (!leading_) {
      return Error(Code::kInternal, "the engine leads without an entry of its own");
    }
    seen_term_ = now.term;
    seen_leader_ = {};
    reads_.AskAgain();
  }
  AnnounceLeading();
  return Ok();
}

// Once the machine has the no-op.
void Replica::AnnounceLeading() {
  if (!running() || !leading_ || leading_->announced || window_.delivered() < leading_->no_op) {
    return;
  }
  leading_->announced = true;
  NoteWhetherAlone();
  counters_.leaderships.Add();
  logger_.Info("leading", {{"partition", partition_.value},
                           {"replica", identity_.replica.value},
                           {"term", leading_->term.value}});
  machine_->OnLeading(leading_->term, leading_->no_op);
}

// A change that others could act on before we do makes it false: from its proposal, or from its
// commit if an earlier leader proposed it, until it is applied here.
void Replica::NoteWhetherAlone() {
  commits_alone_ = running() && alone() && leading_ && leading_->announced &&
                   conf_changes_.empty() && machine_applied_ >= conf_proposed_;
}

void Replica::LoseLeadership(const consensus::NodeStatus& now) {
  leading_.reset();
  NoteWhetherAlone();
  seen_term_ = now.term;
  seen_leader_ = now.leader;
  reads_.FailAll(Error(Code::kNotLeader, "leadership was lost"));
  if (running()) {
    machine_->OnFollowing(now.term, now.leader);
  }
}

}  // namespace quorate::raft
