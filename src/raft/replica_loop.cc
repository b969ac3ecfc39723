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

struct ReadBack final : consensus::EntrySink {
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
  if (std::exchange(hand_over_due_, false)) {
    HandOver();
  }
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

// A new commit alone is not worth a write: it is volatile in Raft (Ongaro and Ousterhout 2014,
// figure 2), and a start takes at least what was applied. But a replica that acknowledged a change
// of the configuration must know after a restart that the one before it is committed, which the
// leader made sure of, or it could win with a majority that is too old
// (testdata/acknowledged-change.txt): it is written with each change, and with its commit.
bool Replica::MustWriteHardState(const consensus::Ready& ready) const {
  if (hard_state_ == hard_written_) {
    return false;
  }
  const auto changes_members = [](const consensus::EntryView& entry) {
    return entry.type != consensus::EntryType::kNormal;
  };
  return hard_state_.term != hard_written_.term || hard_state_.vote != hard_written_.vote ||
         std::ranges::any_of(ready.entries, changes_members) ||
         std::ranges::any_of(ready.committed, changes_members);
}

// Entries and hard state of one ready are one request: a replica never restarts with the one and
// without the other.
void Replica::Persist(consensus::Ready& ready) {
  log::PersistRequest request{.partition = partition_, .must_sync = ready.must_sync};
  hard_state_ = ready.hard_state.value_or(hard_state_);
  if (MustWriteHardState(ready)) {
    request.hard_state = hard_written_ = hard_state_;
  }
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
                  .writing = writes && !options_.testing.report_before_persist,
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
  if (!options_.testing.report_before_persist) {
    persists_.Written();
  }
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
      DeliverUpTo(view.lsn);  // Until it is applied it is in the way of an election.
    }
    if (view.lsn <= window_.delivered()) {
      known = view.lsn;
      unsaved_bytes_ += view.data.size();
    } else if (!window_.holds_back() && !Gathers() && window_.Take(view.data.size())) {
      QUORATE_CHECK(view.lsn == window_.delivered());
      fresh.push_back(consensus::Entry::From(view));
    } else {
      gathered_bytes_ += view.data.size();
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

// A leader's clients wait for what it applies.
bool Replica::Gathers() const {
  return !leading_ && window_.delivered() >= deliver_upto_ &&
         gathered_bytes_ < options_.gathered_bytes_max &&
         window_.committed().value - window_.delivered().value < options_.gathered_entries_max;
}

void Replica::DeliverUpTo(Lsn lsn) {
  deliver_upto_ = std::max(deliver_upto_, lsn);
}

// A piece at a time, so that the machine may begin with one while the next is read.
Status Replica::DeliverHeldBack() {
  if (Gathers()) {
    return Ok();
  }
  DeliverUpTo(window_.committed());  // All of it, though the machine may not have room at once.
  while (running() && window_.holds_back() && window_.room() > 0) {
    const std::size_t piece = std::min(window_.room(), options_.committed_bytes_per_ready_max);
    ReadBack read;
    QUORATE_TRY(view_.Entries(window_.delivered().Next(), window_.committed().Next(), piece, read));
    std::vector<consensus::Entry> fresh;
    for (consensus::Entry& entry : read.entries) {
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
  if (!window_.holds_back()) {
    gathered_bytes_ = 0;
  }
  return Ok();
}

void Replica::AnswerReads(const std::vector<consensus::ReadState>& reads) {
  for (const consensus::ReadState& read : reads) {
    DeliverUpTo(read.lsn);  // Perhaps it is not on our disk yet, hence not handed out.
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

}  // namespace quorate::raft
