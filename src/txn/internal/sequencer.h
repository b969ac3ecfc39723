// Sequencer: decides, for one partition, which transaction comes next in the log, and tells each
// one what became of it.
//
// On the partition's strand; never blocks. Verification and append are one task, so that an entry
// was verified against everything before it in the log: applied, committed, or still in flight. The
// conflict window knows the latter two; proposals whose fate is unknown leave it when leadership
// goes.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "txn/internal/applier.h"
#include "txn/internal/commit_interest.h"
#include "txn/internal/conflict_window.h"
#include "txn/internal/published.h"
#include "txn/internal/recent_aborts.h"
#include "txn/internal/transaction_state.h"
#include "txn/internal/unchanged_commits.h"
#include "txn/internal/unknown_proposals.h"
#include "txn/internal/verifier.h"
#include "txn/transaction_manager.h"

namespace quorate::txn::internal {

class Sequencer {
 public:
  using CommitDone = TransactionManager::CommitDone;
  using StatePtr = std::unique_ptr<Transaction::State>;

  // All outlive it. `applied`: what the store holds; `window` has nothing above it.
  Sequencer(const TransactionManagerDeps& deps, const TransactionManagerOptions& options,
            Published& published, Position applied, std::unique_ptr<ConflictWindow> window);
  ~Sequencer();

  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // TransactionManager::Commit(), on the strand.
  void Submit(StatePtr transaction, std::shared_ptr<CommitInterest> interest, CommitDone done);
  // TransactionManager::PendingCommit, on the strand. Nothing happens if it has been answered.
  void Withdraw(const CommitInterest& interest, bool give_up);
  void WaitWritable(Callback<Status> done);
  // Answers with `reason`: nothing was done, and nothing is left of it.
  void Refuse(StatePtr transaction, CommitDone done, Error reason);

  // Whether some attempt at the transaction of this id was handed in here and is not applied, and
  // not known to be lost either: it waits, is in the log, or was when leadership went.
  bool MayStillCommit(std::string_view id) const;
  // Why an attempt at it was aborted here lately; null if none was.
  const AbortedTransaction* FindAbort(std::string_view id) const;
  void NoteAbort(const TransactionId& id, const Error& reason);

  // The log committed `entry`: acknowledges it if it is ours, and hands on what apply needs.
  // kCorruption: it cannot be read.
  Result<ApplyItem> Committed(consensus::Entry entry);
  void Applied(Lsn lsn);

  void Leading(Lsn no_op);
  void Following(ReplicaId leader);

  // What has become too old goes, also when nothing happens.
  void TrimWindow();

  // Those that were not appended are answered with `reason`; others may follow.
  void RefuseWaiting(const Error& reason);
  // New transactions are answered with `reason` from now on; those that were not appended, too.
  void Close(Error reason);
  // What was appended and is not committed will not be told: its outcome is unknown.
  void Abandon();
  // Nothing that was accepted waits for the log.
  bool drained() const;

 private:
  // Who handed in the id of a proposal again, and learns what becomes of that one.
  struct Repeat {
    CommitDone done;
    std::shared_ptr<CommitInterest> interest;
  };
  struct Proposal {
    Position position;
    TransactionId id;
    bool named_by_client = false;
    CommitOutcome outcome;
    CommitDone done;  // Null: nobody waits any more.
    std::shared_ptr<CommitInterest> interest;
    std::vector<Repeat> repeats;
    LocalPacks packs;
    std::chrono::nanoseconds appended_at;
  };
  // A commit that waits for the term fence, or for room among those in flight.
  struct Waiting {
    StatePtr transaction;
    CommitDone done;
    std::shared_ptr<CommitInterest> interest;
    std::chrono::nanoseconds since;
  };
  struct InFlight {
    Lsn lsn;
    std::size_t bytes;
  };
  struct Instruments;

  bool writable() const QUORATE_REQUIRES(strand_);
  Status CheckTaken(const Waiting& commit) const QUORATE_REQUIRES(strand_);
  bool NeedsNoRoom(const Transaction::State& transaction) QUORATE_REQUIRES(strand_);
  // False: the log has no room now; it waits again, as the first.
  bool Process(Waiting commit) QUORATE_REQUIRES(strand_);
  std::optional<Lsn> FindUse(std::string_view id) const QUORATE_REQUIRES(strand_);
  Proposal* FindPending(std::string_view id) QUORATE_REQUIRES(strand_);
  void ForgetAsTold(Transaction::State& transaction) const QUORATE_REQUIRES(strand_);
  void Join(Proposal& first, Waiting repeat) QUORATE_REQUIRES(strand_);
  void TellLost(Proposal proposal, const Error& reason) QUORATE_REQUIRES(strand_);
  Status CheckAdmission(const Transaction::State& transaction) const QUORATE_REQUIRES(strand_);
  LogRecord MakeRecord(Transaction::State& transaction, Verdict& verdict) const;
  bool Append(Waiting commit, Verdict verdict) QUORATE_REQUIRES(strand_);
  void DiscardPacksOf(Transaction::State& transaction) QUORATE_REQUIRES(strand_);
  void Discard(LocalPacks packs) QUORATE_REQUIRES(strand_);
  void Acknowledge(ApplyItem& item) QUORATE_REQUIRES(strand_);
  void LoseProposals(Lsn from) QUORATE_REQUIRES(strand_);
  void LeavePendingUnknown() QUORATE_REQUIRES(strand_);
  LocalPacks DecideUnknown(Position committed) QUORATE_REQUIRES(strand_);
  void FailUnchanged(const Error& reason) QUORATE_REQUIRES(strand_);
  void DropProposalsFrom(Lsn lsn) QUORATE_REQUIRES(strand_);
  void PassFence() QUORATE_REQUIRES(strand_);
  void ProcessWaiting() QUORATE_REQUIRES(strand_);
  void Trim() QUORATE_REQUIRES(strand_);
  void Publish() QUORATE_REQUIRES(strand_);
  void Answer(CommitDone done, Result<CommitOutcome> result);

  const TransactionManagerDeps& deps_;
  const TransactionManagerOptions& options_;
  env::Strand& strand_;
  Published& published_;
  const std::shared_ptr<Instruments> instruments_;  // A barrier may outlive us.

  const std::unique_ptr<ConflictWindow> window_ QUORATE_GUARDED_BY(strand_);
  Lsn committed_ QUORATE_GUARDED_BY(strand_);
  Lsn applied_ QUORATE_GUARDED_BY(strand_);
  std::optional<Lsn> no_op_ QUORATE_GUARDED_BY(strand_);  // Set while leading.
  ReplicaId leader_ QUORATE_GUARDED_BY(strand_);          // Of somebody else's; 0 if unknown.
  std::optional<Error> closed_ QUORATE_GUARDED_BY(strand_);

  std::deque<Waiting> waiting_ QUORATE_GUARDED_BY(strand_);
  bool log_is_full_ QUORATE_GUARDED_BY(strand_) = false;  // The first of them was tried in vain.
  std::vector<Callback<Status>> writable_waiters_ QUORATE_GUARDED_BY(strand_);
  std::deque<Proposal> pending_ QUORATE_GUARDED_BY(strand_);     // Appended, not committed.
  std::deque<InFlight> in_flight_ QUORATE_GUARDED_BY(strand_);   // Appended, not applied.
  std::size_t in_flight_bytes_ QUORATE_GUARDED_BY(strand_) = 0;  // Sum over in_flight_.
  UnchangedCommits unchanged_ QUORATE_GUARDED_BY(strand_);
  UnknownProposals unknown_ QUORATE_GUARDED_BY(strand_);
  RecentAborts aborts_ QUORATE_GUARDED_BY(strand_);
};

}  // namespace quorate::txn::internal
