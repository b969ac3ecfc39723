#include "txn/transaction_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "txn/internal/applied_watch.h"
#include "txn/internal/apply_queue.h"
#include "txn/internal/commit_interest.h"
#include "txn/internal/consumer_keeper.h"
#include "txn/internal/published.h"
#include "txn/internal/recovery.h"
#include "txn/internal/sequencer.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn {

using internal::ApplyItem;
using internal::ApplyQueue;
using internal::Published;
using internal::Sequencer;

namespace {

Error WrongIdSize() {
  return Error(Code::kInvalidArgument,
               fmt::format("a transaction's id has {} bytes", kTransactionIdBytes));
}

// What the state says of an id; failing that, what is known besides.
Result<TransactionOutcome> OutcomeIn(const Snapshot& snapshot, std::string_view id, bool in_flight,
                                     std::optional<AbortedTransaction> aborted) {
  TransactionOutcome outcome{.known_from = snapshot.TransactionsKnownFrom()};
  outcome.committed = QUORATE_TRY(snapshot.FindTransaction(id));
  if (outcome.committed) {
    outcome.state = TransactionOutcome::State::kCommitted;
  } else if (in_flight) {
    outcome.state = TransactionOutcome::State::kInFlight;
  } else if (aborted) {
    outcome.state = TransactionOutcome::State::kAborted;
    outcome.aborted = std::move(aborted);
  } else if (outcome.known_from > kBootstrapPosition.lsn.Next()) {
    outcome.state = TransactionOutcome::State::kTooOld;
  }
  return outcome;
}

}  // namespace

// Wires the sequencer, the apply queue and the waiting readers to the log. Tasks under way keep it
// alive.
class TransactionManager::Impl final : public log::StateMachine,
                                       public std::enable_shared_from_this<Impl> {
 public:
  Impl(TransactionManagerDeps deps, TransactionManagerOptions options)
      : deps_(std::move(deps)),
        options_(options),
        published_(std::make_shared<Published>(kBootstrapPosition.lsn)),
        apply_seconds_(deps_.metrics.GetHistogram("quorate_transaction_apply_seconds",
                                                  "From the commit of an entry to its application.",
                                                  {}, env::LatencyBounds())),
        consumers_(deps_, options_) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status Open();
  Result<Transaction> Begin(TransactionOptions options);
  void Commit(Result<std::unique_ptr<Transaction::State>> transaction,
              std::shared_ptr<internal::CommitInterest> interest, CommitDone done);
  void Withdraw(std::shared_ptr<internal::CommitInterest> interest, bool give_up);
  void WaitWritable(Callback<Status> done);
  void FindOutcome(std::string id, Callback<Result<TransactionOutcome>> done);
  void NoteAbort(TransactionId id, Error reason);
  TransactionId NewTransactionId();
  void ReadSnapshot(Callback<Result<Snapshot>> done);
  Result<Snapshot> LocalSnapshot() const;
  std::optional<Lsn> CurrentLsn() const;
  Status SyncObjects();
  Status ObjectsDurable(Lsn lsn);
  void RetryApply();
  Result<std::vector<CommittedChange>> ReadChanges(const Snapshot& snapshot,
                                                   const Consumer& consumer,
                                                   std::size_t count_max) const;
  internal::AppliedWatch& watch() { return watch_; }
  const internal::ConsumerKeeper& consumers() const { return consumers_; }
  ManagerStatus status() const;
  void Stop(Callback<> done);

  void OnCommitted(std::vector<consensus::Entry> entries) override;
  void OnLeading(Term term, Lsn no_op) override;
  void OnFollowing(Term term, ReplicaId leader) override;
  void OnFenced(const Error& reason) override;

 private:
  using ReadDone = Callback<Result<Snapshot>>;

  void StepBack(internal::Recovered& found) const;
  void StartLog(Position applied);
  void OnBatch(const ApplyQueue::Batch& batch);
  void OnBarrier(Result<Lsn> barrier, ReadDone done);
  void WakeReaders();
  void FailReaders(const Error& reason);
  void CompactTo(Lsn lsn);
  void CutOff(const Consumer& consumer);
  void Fence(const Error& reason);
  void StopLogWhenDrained();
  void FinishStop();

  const TransactionManagerDeps deps_;
  const TransactionManagerOptions options_;
  const std::shared_ptr<Published> published_;
  env::Histogram& apply_seconds_;

  // Held over a write, so that the record never goes back behind what the log was cut by.
  std::mutex objects_durable_mutex_;
  internal::ConsumerKeeper consumers_;  // Looked at with it held.
  internal::AppliedWatch watch_;

  // Made by Open(), before the strand knows of them.
  std::unique_ptr<Sequencer> sequencer_;
  std::shared_ptr<ApplyQueue> apply_;

  Lsn applied_ QUORATE_GUARDED_BY(deps_.strand);
  std::multimap<Lsn, ReadDone> readers_ QUORATE_GUARDED_BY(deps_.strand);  // By the LSN they need.
  bool log_started_ QUORATE_GUARDED_BY(deps_.strand) = false;
  bool log_stopping_ QUORATE_GUARDED_BY(deps_.strand) = false;
  bool log_stopped_ QUORATE_GUARDED_BY(deps_.strand) = false;
  std::vector<Callback<>> stop_done_ QUORATE_GUARDED_BY(deps_.strand);  // Not empty: stopping.
};

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
      std::make_shared<internal::Applier>(deps_.partition, deps_.store, deps_.packs, applied,
                                          options_.testing),
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
  Snapshot snapshot = QUORATE_TRY(Snapshot::Take(deps_.partition, deps_.store));
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

// What is applied and whether some attempt at it may still be committed is found out in one task:
// with one in between, it could be missed by both. The strand does not wait for the disk.
void TransactionManager::Impl::FindOutcome(std::string id,
                                           Callback<Result<TransactionOutcome>> done) {
  deps_.strand.Post([self = shared_from_this(), id = std::move(id),
                     done = std::move(done)]() mutable {
    if (id.size() != kTransactionIdBytes) {
      std::move(done)(WrongIdSize());
      return;
    }
    self->ReadSnapshot([self, id = std::move(id),
                        done = std::move(done)](Result<Snapshot> snapshot) mutable {
      if (!snapshot) {
        std::move(done)(std::move(snapshot).error());
        return;
      }
      const bool in_flight = self->sequencer_->MayStillCommit(id);
      std::optional<AbortedTransaction> aborted;
      if (const auto* found = self->sequencer_->FindAbort(id); found != nullptr && !in_flight) {
        aborted = *found;
      }
      self->deps_.storage.Post([id = std::move(id), in_flight, snapshot = *std::move(snapshot),
                                aborted = std::move(aborted), done = std::move(done)]() mutable {
        std::move(done)(OutcomeIn(snapshot, id, in_flight, std::move(aborted)));
      });
    });
  });
}

void TransactionManager::Impl::OnCommitted(std::vector<consensus::Entry> entries) {
  deps_.strand.AssertCurrent();
  const auto self = shared_from_this();  // A callback may drop the manager.
  for (consensus::Entry& entry : entries) {
    if (published_->fenced()) {
      return;
    }
    Result<ApplyItem> item = sequencer_->Committed(std::move(entry));
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

void TransactionManager::Impl::OnBatch(const ApplyQueue::Batch& batch) {
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

void TransactionManager::Impl::ReadSnapshot(ReadDone done) {
  deps_.strand.Post([self = shared_from_this(), done = std::move(done)]() mutable {
    if (Status serving = self->published_->Serving(); !serving) {
      std::move(done)(std::move(serving).error());
      return;
    }
    self->deps_.log.ReadBarrier([self, done = std::move(done)](Result<Lsn> barrier) mutable {
      self->OnBarrier(std::move(barrier), std::move(done));
    });
  });
}

void TransactionManager::Impl::OnBarrier(Result<Lsn> barrier, ReadDone done) {
  deps_.strand.AssertCurrent();
  if (!barrier) {
    std::move(done)(std::move(barrier).error());
    return;
  }
  if (Status serving = published_->Serving(); !serving) {
    std::move(done)(std::move(serving).error());
    return;
  }
  if (applied_ >= *barrier || options_.testing.read_before_apply) {
    std::move(done)(Snapshot::Take(deps_.partition, deps_.store));
    return;
  }
  if (readers_.size() >= options_.reads_waiting_max) {
    std::move(done)(Error(Code::kResourceExhausted, "too many reads wait"));
    return;
  }
  readers_.emplace(*barrier, std::move(done));
}

void TransactionManager::Impl::WakeReaders() {
  deps_.strand.AssertCurrent();
  while (!readers_.empty() && readers_.begin()->first <= applied_) {
    ReadDone done = std::move(readers_.begin()->second);
    readers_.erase(readers_.begin());
    std::move(done)(Snapshot::Take(deps_.partition, deps_.store));
  }
}

void TransactionManager::Impl::FailReaders(const Error& reason) {
  deps_.strand.AssertCurrent();
  for (auto& [lsn, done] : std::exchange(readers_, {})) {
    std::move(done)(reason);
  }
}

Result<Snapshot> TransactionManager::Impl::LocalSnapshot() const {
  QUORATE_TRY(published_->Serving());
  return Snapshot::Take(deps_.partition, deps_.store);
}

// The log first: what was acknowledged before it said yes is in what is published by now.
std::optional<Lsn> TransactionManager::Impl::CurrentLsn() const {
  return deps_.log.CommitsAlone() || options_.testing.read_locally ? published_->Current()
                                                                   : std::nullopt;
}

Status TransactionManager::Impl::SyncObjects() {
  QUORATE_TRY(published_->Serving());
  const Lsn applied = published_->applied();
  if (deps_.files != nullptr && !options_.testing.skip_object_sync) {
    QUORATE_TRY(deps_.files->SyncFileSystem(deps_.root));
  }
  return ObjectsDurable(applied);
}

// The record is written behind the state that it speaks of and before the log is cut, and a crash
// keeps a prefix: so none of the three needs a sync of its own.
Status TransactionManager::Impl::ObjectsDurable(Lsn lsn) {
  QUORATE_TRY(published_->Serving());
  const std::lock_guard lock(objects_durable_mutex_);
  lsn = std::min(lsn, published_->applied());
  if (lsn <= published_->objects_durable()) {
    RetryApply();
    return Ok();
  }
  kv::WriteBatch batch;
  RecordObjectsDurable(deps_.partition, lsn, batch);
  QUORATE_TRY(deps_.store.Write(std::move(batch), {.sync = false}));
  published_->SetObjectsDurable(lsn);
  // Taken behind `lsn`: a consumer that it lacks is made later, and reads nothing up to there.
  const Snapshot snapshot = QUORATE_TRY(Snapshot::Take(deps_.partition, deps_.store));
  const auto round = QUORATE_TRY(consumers_.Look(snapshot, published_->counts().leading));
  CompactTo(round.needless && !options_.testing.forget_consumers ? std::min(lsn, *round.needless)
                                                                 : lsn);
  for (const Consumer& consumer : round.too_far_behind) {
    CutOff(consumer);
  }
  return Ok();
}

// The low-water mark is `lsn`. A few entries stay nevertheless, for replicas that are behind.
void TransactionManager::Impl::CompactTo(Lsn lsn) {
  const Lsn applied = published_->applied();
  const std::uint64_t kept = options_.entries_kept;
  const Lsn upto = std::min(lsn, Lsn{applied.value > kept ? applied.value - kept : 0});
  deps_.strand.Post([self = shared_from_this(), upto] {
    self->deps_.strand.AssertCurrent();
    const bool running = self->log_started_ && !self->log_stopping_ && !self->published_->fenced();
    if (running && upto > kBootstrapPosition.lsn) {
      self->deps_.log.Compact(upto);
    }
    self->apply_->Retry();
    self->sequencer_->TrimWindow();
  });
}

// If it does not succeed, the next round tries again.
void TransactionManager::Impl::CutOff(const Consumer& consumer) {
  Result<Transaction> cut = Begin({.actor = "quorate", .push_options = {}, .id = {}});
  if (!cut || !cut->StageConsumerCutOff(consumer.repository, consumer.name)) {
    return;
  }
  Commit(cut->TakeState(), std::make_shared<internal::CommitInterest>(),
         [self = shared_from_this(), consumer](const Result<CommitOutcome>& outcome) {
           if (!outcome) {
             return;
           }
           self->deps_.metrics
               .GetCounter("quorate_consumers_cut_off_total", "Consumers that fell too far behind.",
                           {})
               .Add();
           self->deps_.logger.Warn("consumer cut off",
                                   {{"partition", self->deps_.partition.value},
                                    {"consumer", consumer.name},
                                    {"lost_first", consumer.acknowledged.value + 1},
                                    {"lost_last", outcome->lsn.value}});
         });
}

Result<std::vector<CommittedChange>> TransactionManager::Impl::ReadChanges(
    const Snapshot& snapshot, const Consumer& consumer, std::size_t count_max) const {
  QUORATE_CHECK(deps_.log_store != nullptr);
  return txn::ReadChanges(*deps_.log_store, deps_.store, snapshot, consumer, count_max);
}

void TransactionManager::Impl::RetryApply() {
  deps_.strand.Post([self = shared_from_this()] {
    if (self->apply_ != nullptr) {
      self->apply_->Retry();
    }
  });
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

void RecordObjectsDurable(PartitionId partition, Lsn lsn, kv::WriteBatch& batch) {
  batch.Put(kv::Family::kState, internal::ObjectsDurableKey(partition), internal::EncodeLsn(lsn));
}

TransactionManager::TransactionManager(TransactionManagerDeps deps,
                                       TransactionManagerOptions options)
    : impl_(std::make_shared<Impl>(std::move(deps), options)) {
}

TransactionManager::~TransactionManager() = default;

Status TransactionManager::Open() {
  return impl_->Open();
}

void TransactionManager::FindOutcome(std::string id, Callback<Result<TransactionOutcome>> done) {
  impl_->FindOutcome(std::move(id), std::move(done));
}

void TransactionManager::NoteAbort(TransactionId id, Error reason) {
  impl_->NoteAbort(std::move(id), std::move(reason));
}

TransactionId TransactionManager::NewTransactionId() {
  return impl_->NewTransactionId();
}

void TransactionManager::WaitWritable(Callback<Status> done) {
  impl_->WaitWritable(std::move(done));
}

Result<Transaction> TransactionManager::Begin(TransactionOptions options) {
  return impl_->Begin(std::move(options));
}

TransactionManager::PendingCommit TransactionManager::Commit(Transaction&& transaction,
                                                             CommitDone done) {
  auto interest = std::make_shared<internal::CommitInterest>();
  impl_->Commit(transaction.TakeState(), interest, std::move(done));
  return {impl_, std::move(interest)};
}

void TransactionManager::PendingCommit::Cancel() {
  if (const std::shared_ptr<Impl> manager = manager_.lock()) {
    manager->Withdraw(interest_, false);
  }
}

void TransactionManager::PendingCommit::GiveUp() {
  if (const std::shared_ptr<Impl> manager = manager_.lock()) {
    manager->Withdraw(interest_, true);
  }
}

void TransactionManager::ReadSnapshot(Callback<Result<Snapshot>> done) {
  impl_->ReadSnapshot(std::move(done));
}

Result<Snapshot> TransactionManager::LocalSnapshot() const {
  return impl_->LocalSnapshot();
}

std::optional<Lsn> TransactionManager::CurrentLsn() const {
  return impl_->CurrentLsn();
}

Status TransactionManager::SyncObjects() {
  return impl_->SyncObjects();
}

Status TransactionManager::ObjectsDurable(Lsn lsn) {
  return impl_->ObjectsDurable(lsn);
}

void TransactionManager::RetryApply() {
  impl_->RetryApply();
}

Result<std::vector<CommittedChange>> TransactionManager::ReadChanges(const Snapshot& snapshot,
                                                                     const Consumer& consumer,
                                                                     std::size_t count_max) const {
  return impl_->ReadChanges(snapshot, consumer, count_max);
}

std::uint64_t TransactionManager::WatchApplied(Lsn beyond, Callback<> done) {
  return impl_->watch().Begin(beyond, std::move(done));
}

void TransactionManager::EndWatch(std::uint64_t ticket) {
  impl_->watch().End(ticket);
}

std::vector<ConsumerLag> TransactionManager::consumer_lags() const {
  return impl_->consumers().lags();
}

TransactionManager::ManagerStatus TransactionManager::status() const {
  return impl_->status();
}

void TransactionManager::Stop(Callback<> done) {
  impl_->Stop(std::move(done));
}

}  // namespace quorate::txn
