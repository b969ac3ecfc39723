// TransactionManager's insides: wires the sequencer, the apply queue and the waiting readers to the
// log. manager_impl.cc has its life and what goes into the log, manager_reads.cc what is read, and
// manager_upkeep.cc what the node asks for now and then.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "txn/internal/applied_mark.h"
#include "txn/internal/applied_watch.h"
#include "txn/internal/apply_queue.h"
#include "txn/internal/commit_interest.h"
#include "txn/internal/consumer_keeper.h"
#include "txn/internal/published.h"
#include "txn/internal/recovery.h"
#include "txn/internal/sequencer.h"
#include "txn/transaction_manager.h"

namespace quorate::txn {

// Tasks under way keep it alive.
class TransactionManager::Impl final : public log::StateMachine,
                                       public std::enable_shared_from_this<Impl> {
 public:
  Impl(TransactionManagerDeps deps, TransactionManagerOptions options)
      : deps_(std::move(deps)),
        options_(options),
        published_(std::make_shared<internal::Published>(kBootstrapPosition.lsn)),
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
  using ApplyQueue = internal::ApplyQueue;
  using Published = internal::Published;
  using Sequencer = internal::Sequencer;
  using ReadDone = Callback<Result<Snapshot>>;

  static Error WrongIdSize();

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
  const std::shared_ptr<internal::AppliedMark> mark_ = std::make_shared<internal::AppliedMark>();
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

}  // namespace quorate::txn
