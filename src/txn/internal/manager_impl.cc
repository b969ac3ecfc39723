#include "txn/internal/manager_impl.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::txn {

Error TransactionManager::Impl::WrongIdSize() {
  return Error(Code::kInvalidArgument,
               fmt::format("a transaction's id has {} bytes", kTransactionIdBytes));
}

Status TransactionManager::Impl::Open() {
  QUORATE_CHECK(sequencer_ == nullptr);
  Result<internal::Recovered> recovered = internal::Recover(deps_, options_.window);
  if (!recovered) {
    published_->SetFenced(recovered.error());
    return std::move(recovered).error();
  }
  if (options_.testing.apply_last_twice && deps_.log_store != nullptr) {
    StepBack(*recovered);
  }
  const Position applied = recovered->applied;
  published_->SetApplied(applied.lsn);
  published_->SetObjectsDurable(recovered->objects_durable);
  sequencer_ = std::make_unique<Sequencer>(deps_, options_, *published_, applied,
                                           std::move(recovered->window));
  apply_ = std::make_shared<ApplyQueue>(
      deps_.strand, deps_.storage,
      std::make_shared<internal::Applier>(deps_.partition, deps_.store, deps_.states, deps_.packs,
                                          mark_, applied, options_.testing),
      [weak = weak_from_this()](const ApplyQueue::Batch& batch) {
        if (const std::shared_ptr<Impl> self = weak.lock()) {
          self->OnBatch(batch);
        }
      });
  published_->SetOpen();
  deps_.strand.Post([self = shared_from_this(), applied] { self->StartLog(applied); });
  return Ok();
}

// To the entry before, if the log has it. Only ever called in tests.
void TransactionManager::Impl::StepBack(internal::Recovered& found) const {
  const Lsn before{found.applied.lsn.value - 1};
  if (const Result<Term> term = deps_.log_store->TermAt(deps_.partition, before)) {
    found.applied = {.lsn = before, .term = *term};
    found.window = std::make_unique<internal::ConflictWindow>(before);
  }
}

void TransactionManager::Impl::StartLog(Position applied) {
  deps_.strand.AssertCurrent();
  applied_ = applied.lsn;
  if (!stop_done_.empty() || log_stopped_) {
    return;
  }
  log_started_ = true;
  if (const Status started = deps_.log.Start(*this, applied); !started) {
    log_started_ = false;  // So there is nothing to stop.
    Fence(started.error());
  }
}

Result<Transaction> TransactionManager::Impl::Begin(TransactionOptions options) {
  QUORATE_TRY(published_->Serving());
  Published::Pin pin = Published::MakePin(published_);
  Snapshot snapshot = QUORATE_TRY(Snapshot::Take(deps_.partition, deps_.store, *mark_));
  TransactionId id{.bytes = options.id};
  if (id.bytes.empty()) {
    id = NewTransactionId();
  } else if (id.bytes.size() != kTransactionIdBytes) {
    return WrongIdSize();
  } else if (const auto found = QUORATE_TRY(snapshot.FindTransaction(id.bytes))) {
    return Error(Code::kAlreadyExists,
                 fmt::format("transaction {} is entry {} already", id.ToHex(), found->lsn.value));
  }
  return Transaction(std::make_unique<Transaction::State>(std::move(options), std::move(id),
                                                          std::move(snapshot), std::move(pin)));
}

void TransactionManager::Impl::Commit(Result<std::unique_ptr<Transaction::State>> staged,
                                      std::shared_ptr<internal::CommitInterest> interest,
                                      CommitDone done) {
  deps_.strand.Post([self = shared_from_this(), staged = std::move(staged),
                     interest = std::move(interest), done = std::move(done)]() mutable {
    if (!staged) {
      std::move(done)(std::move(staged).error());
      return;
    }
    std::unique_ptr<Transaction::State> transaction = *std::move(staged);
    if (self->sequencer_ == nullptr) {
      std::move(done)(Error(Code::kUnavailable, "not open yet"));
      return;
    }
    // A full disk refuses what is new; that it has room again shows when something is tried.
    if (self->apply_->stalled() && !transaction->only_reads()) {
      self->apply_->Retry();
      self->sequencer_->Refuse(std::move(transaction), std::move(done),
                               Error(Code::kResourceExhausted, "the disk is full"));
      return;
    }
    self->sequencer_->Submit(std::move(transaction), std::move(interest), std::move(done));
  });
}

void TransactionManager::Impl::Withdraw(std::shared_ptr<internal::CommitInterest> interest,
                                        bool give_up) {
  // Read by a Commit() that is still on its way to the strand.
  interest->cancelled.store(true, std::memory_order_relaxed);
  deps_.strand.Post([self = shared_from_this(), interest = std::move(interest), give_up] {
    if (self->sequencer_ != nullptr) {
      self->sequencer_->Withdraw(*interest, give_up);
      self->StopLogWhenDrained();
    }
  });
}

void TransactionManager::Impl::WaitWritable(Callback<Status> done) {
  deps_.strand.Post([self = shared_from_this(), done = std::move(done)]() mutable {
    if (self->sequencer_ == nullptr) {
      std::move(done)(Error(Code::kUnavailable, "not open yet"));
      return;
    }
    self->sequencer_->WaitWritable(std::move(done));
  });
}

// A UUID of version 7 (RFC 9562): milliseconds, then random bits. The store keeps the ids of one
// time together, which costs a fraction of what scattered ones cost.
TransactionId TransactionManager::Impl::NewTransactionId() {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.WallUnix());
  const std::uint64_t random = deps_.random.Next();
  constexpr std::uint64_t kVersion = 7;
  TransactionId id;
  AppendBigEndian64(
      id.bytes, static_cast<std::uint64_t>(now.count()) << 16 | kVersion << 12 | (random & 0xfff));
  constexpr std::uint64_t kVariant = 0b10;
  AppendBigEndian64(id.bytes, kVariant << 62 | deps_.random.Next() >> 2);
  return id;
}

void TransactionManager::Impl::NoteAbort(TransactionId id, Error reason) {
  deps_.strand.Post([self = shared_from_this(), id = std::move(id), reason = std::move(reason)] {
    if (self->sequencer_ != nullptr) {
      self->sequencer_->NoteAbort(id, reason);
    }
  });
}

void TransactionManager::Impl::OnCommitted(std::vector<consensus::Entry> entries) {
  deps_.strand.AssertCurrent();
  const auto self = shared_from_this();  // A callback may drop the manager.
  for (consensus::Entry& entry : entries) {
    if (published_->fenced()) {
      return;
    }
    Result<internal::ApplyItem> item = sequencer_->Committed(std::move(entry));
    if (!item) {
      Fence(item.error());
      return;
    }
    apply_->Push(*std::move(item));
  }
  StopLogWhenDrained();
}

void TransactionManager::Impl::OnLeading(Term term, Lsn no_op) {
  deps_.strand.AssertCurrent();
  if (published_->fenced()) {
    return;
  }
  deps_.logger.Info(
      "leading",
      {{"partition", deps_.partition.value}, {"term", term.value}, {"no_op", no_op.value}});
  sequencer_->Leading(no_op);
}

void TransactionManager::Impl::OnFollowing(Term term, ReplicaId leader) {
  deps_.strand.AssertCurrent();
  const auto self = shared_from_this();
  deps_.logger.Info(
      "following",
      {{"partition", deps_.partition.value}, {"term", term.value}, {"leader", leader.value}});
  sequencer_->Following(leader);
  StopLogWhenDrained();
}

void TransactionManager::Impl::OnFenced(const Error& reason) {
  deps_.strand.AssertCurrent();
  const auto self = shared_from_this();
  Fence(reason);
}

void TransactionManager::Impl::OnBatch(const internal::ApplyQueue::Batch& batch) {
  deps_.strand.AssertCurrent();
  if (!published_->fenced() && batch.applied.lsn > applied_) {
    applied_ = batch.applied.lsn;
    const auto since = deps_.clock.Monotonic() - batch.committed_at;
    apply_seconds_.Observe(std::chrono::duration<double>(since).count());
    if (!log_stopping_) {
      deps_.log.Applied(applied_);
    }
    sequencer_->Applied(applied_);
    WakeReaders();
    watch_.Advance(applied_);
  }
  if (apply_->stalled()) {
    sequencer_->RefuseWaiting(Error(Code::kResourceExhausted, "the disk is full"));
    deps_.logger.Warn("cannot apply: the disk is full",
                      {{"partition", deps_.partition.value},
                       {"applied", applied_.value},
                       {"error", batch.status.error().message()}});
  } else if (!batch.status) {
    Fence(batch.status.error());
  }
  StopLogWhenDrained();
  FinishStop();
}

void TransactionManager::Impl::Fence(const Error& reason) {
  deps_.strand.AssertCurrent();
  if (published_->fenced()) {
    return;
  }
  published_->SetFenced(reason);
  watch_.EndAll();
  deps_.logger.Fail("replica fenced", {{"partition", deps_.partition.value},
                                       {"applied", applied_.value},
                                       {"reason", reason.ToString()}});
  apply_->Close();
  const Error refusal = published_->Serving().error();
  sequencer_->Close(refusal);
  sequencer_->Abandon();
  FailReaders(refusal);
  if (log_started_ && !log_stopping_) {
    deps_.log.Resign();  // The group goes on without us, if there are others.
  }
  StopLogWhenDrained();
}

TransactionManager::ManagerStatus TransactionManager::Impl::status() const {
  const Published::Counts counts = published_->counts();
  return {.applied = published_->applied(),
          .objects_durable = published_->objects_durable(),
          .leading = counts.leading,
          .fenced = published_->fenced(),
          .in_flight = counts.in_flight,
          .window_keys = counts.window_keys,
          .window_bytes = counts.window_bytes};
}

void TransactionManager::Impl::Stop(Callback<> done) {
  published_->SetStopped();
  watch_.EndAll();
  deps_.strand.Post([self = shared_from_this(), done = std::move(done)]() mutable {
    self->deps_.strand.AssertCurrent();
    self->stop_done_.push_back(std::move(done));
    if (self->sequencer_ != nullptr) {
      self->sequencer_->Close(
          MakeLifeCycleError(LifeCycleError::Call::kCommit, LifeCycleError::Reason::kClosed));
    }
    if (!self->log_started_) {
      self->log_stopped_ = true;  // Open() failed, was not called, or comes after us.
    }
    self->StopLogWhenDrained();
    self->FinishStop();
  });
}

// What is in flight ends: it is committed, or leadership goes.
void TransactionManager::Impl::StopLogWhenDrained() {
  deps_.strand.AssertCurrent();
  if (stop_done_.empty() || !log_started_ || log_stopping_) {
    return;
  }
  // Behind a full disk what is in flight may never be delivered, hence never end: it is unknown.
  if (!sequencer_->drained() && !apply_->stalled()) {
    return;
  }
  log_stopping_ = true;
  deps_.log.Stop([self = shared_from_this()] {
    self->deps_.strand.AssertCurrent();
    self->log_stopped_ = true;
    self->sequencer_->Abandon();
    self->FinishStop();
  });
}

void TransactionManager::Impl::FinishStop() {
  deps_.strand.AssertCurrent();
  if (stop_done_.empty() || !log_stopped_ || (apply_ != nullptr && apply_->busy())) {
    return;
  }
  if (apply_ != nullptr) {
    apply_->Close();
  }
  FailReaders(Error(Code::kUnavailable, "the partition is closing"));
  for (Callback<>& done : std::exchange(stop_done_, {})) {
    std::move(done)();
  }
}

}  // namespace quorate::txn
