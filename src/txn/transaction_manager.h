// TransactionManager: isolation and atomicity for one partition.
//
//   Begin    any thread   a snapshot at the applied LSN; O(1)
//   stage    any thread   changes, read from the snapshot (Transaction)
//   Commit   any thread   hops to the partition's strand:
//     verify   strand     against the conflict window: what was written after the snapshot, by
//     applied
//                         entries and by proposals still in flight; memory only, no I/O
//     append   strand     same task; the log gives the position at once, so transactions pipeline
//     commit   strand     the log says so: the caller is told
//     apply    storage    references, history, applied LSN in one unsynced batch, objects
//     installed;
//                         after a crash it is redone from the log
//
// Whoever reads after an acknowledgement waits for apply (ReadSnapshot), so he sees what was
// acknowledged. Objects that other transactions build on are installed before they are visible.
//
// A mismatch between an entry's old values and the applied state at apply is a bug or damage: the
// replica is fenced, and every later call answers kCorruption.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/result.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/random.h"
#include "env/strand.h"
#include "git/pack_installer.h"
#include "kv/group_writer.h"
#include "kv/store.h"
#include "log/log_manager.h"
#include "log/log_store.h"
#include "txn/changes.h"
#include "txn/consumer.h"
#include "txn/internal/unsafe_options.h"
#include "txn/outcome.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"
#include "txn/window_bounds.h"

namespace quorate::txn {

struct TransactionManagerOptions {
  WindowBounds window{};  // Beyond, old snapshots are "too old".
  // Appended, not yet applied; beyond, commits wait, as many again, and then they are refused.
  std::size_t in_flight_max = 4096;
  std::size_t in_flight_bytes_max = 256 << 20;
  std::size_t entry_bytes_max = 64 << 20;  // A transaction that encodes to more is refused.
  std::size_t reads_waiting_max = 65536;   // ReadSnapshot() calls that wait for apply.
  std::size_t aborts_kept_max = 1024;      // Reasons that FindOutcome() remembers.
  // A consumer that keeps more than this in the log is cut off.
  std::uint64_t consumer_entries_max = 100'000;
  std::uint64_t consumer_bytes_max = 1ULL << 30;
  std::uint64_t entries_kept = 1000;  // Left in the log although nobody here needs them.
  internal::UnsafeOptions testing{};
};

// Everything it uses; all outlive it.
struct TransactionManagerDeps {
  PartitionId partition;
  env::Strand& strand;   // The partition's; never blocks.
  env::Strand& storage;  // Apply runs here; may block.
  log::LogManager& log;
  kv::Store& store;
  kv::GroupWriter& states;              // Of `store`; shared with the other partitions.
  git::PackInstaller* packs = nullptr;  // Null for a partition without objects (meta).
  env::FileSystem* files = nullptr;     // Null with `packs`.
  std::string root;                     // Where the objects are; what SyncObjects() syncs.
  const env::Clock& clock;
  env::Random& random;
  env::Logger& logger;
  env::Metrics& metrics;
  const log::LogStore* log_store = nullptr;  // Of `log`; for Open(). Null with `packs`.
  // Removes what is stored beside the log but these packs: git::ObjectStore::DropStagedExcept().
  // Called once, by Open(). May be empty.
  std::function<Status(const std::vector<Sha256Digest>& named)> drop_staged_except = {};
};

// For whoever installs a checkpoint: its objects are on disk, so nothing up to `lsn` is redone from
// a log that does not have it.
void RecordObjectsDurable(PartitionId partition, Lsn lsn, kv::WriteBatch& batch);

namespace internal {
struct CommitInterest;
}

class TransactionManager {
  class Impl;

 public:
  using CommitDone = Callback<Result<CommitOutcome>>;

  TransactionManager(TransactionManagerDeps deps, TransactionManagerOptions options);
  ~TransactionManager();

  TransactionManager(const TransactionManager&) = delete;
  TransactionManager& operator=(const TransactionManager&) = delete;

  // Redoes what the log has and the file system may have lost (objects above the synced position),
  // then posts the start of the log, from the applied position, to the strand. Blocks; before any
  // other call, not on the strand. kCorruption: the replica stays fenced. If the log cannot be
  // started, the replica is fenced too.
  Status Open();

  // Any thread. `done` runs on the strand once this replica accepts transactions: it leads and is
  // past the term fence. kUnavailable when it is stopped first, kCorruption when it is fenced.
  void WaitWritable(Callback<Status> done);

  // Any thread; blocks on a read of the store. The snapshot is what is applied here: whoever must
  // see what was just acknowledged calls ReadSnapshot() first. kUnavailable before Open() is done
  // or after Stop(), kCorruption when fenced, kAlreadyExists when a transaction of this id was
  // committed.
  Result<Transaction> Begin(TransactionOptions options);

  // A commit under way, in the hands of whoever may lose interest in it. Any thread; may outlive
  // the manager.
  class PendingCommit {
   public:
    // Before the transaction is admitted (it waits for the strand or the term fence) nothing is
    // done and it ends with kCancelled; so does one that changes nothing, until it is answered.
    // Once it is in the log this has no effect: the outcome is told. Of one that waits for an
    // earlier attempt with the same id, kOutcomeUnknown is told now: that one takes its course.
    void Cancel();
    // As Cancel(); but of one in the log kOutcomeUnknown is told now, and nothing later.
    void GiveUp();

   private:
    friend class TransactionManager;
    PendingCommit(std::weak_ptr<Impl> manager, std::shared_ptr<internal::CommitInterest> interest)
        : manager_(std::move(manager)), interest_(std::move(interest)) {}

    std::weak_ptr<Impl> manager_;
    std::shared_ptr<internal::CommitInterest> interest_;
  };

  // Any thread. Ends `transaction`, which stays behind to say so. `done` runs on the partition's
  // strand, once:
  //   outcome              committed: a majority has it on disk;
  //   kConflict            nothing was done; `ConflictOf()` of the error has the data;
  //   kAlreadyExists       nothing was done now: the transaction of this id is committed
  //                        (FindOutcome() tells where);
  //   kCancelled           PendingCommit; nothing was done;
  //   kNotLeader, kUnavailable, kResourceExhausted, kInvalidArgument (too large)
  //                        nothing was done;
  //   kOutcomeUnknown      it may or may not have happened; the message has the id;
  //   kCorruption          the replica is fenced; nothing was done.
  // While a transaction of the same id is in flight, the answer waits for what becomes of that one,
  // and nothing is done twice.
  // A transaction that changes nothing takes no entry (lsn 0); it is acknowledged once everything
  // it was verified against is committed and this replica still led then. While a new leader waits
  // for its term fence, commits wait with it. The log entry may hold less than was staged if
  // !all_or_nothing. A transaction that has ended before: kInvalidArgument with a LifeCycleError.
  PendingCommit Commit(Transaction&& transaction, CommitDone done);

  // Any thread. What became of the transaction with these 16 raw bytes of id: everything that was
  // committed before this call, anywhere in the group, is known. `done` runs on the storage
  // strand, or on the partition's. Errors as ReadSnapshot()'s, and kInvalidArgument for an id of
  // another size.
  void FindOutcome(std::string id, Callback<Result<TransactionOutcome>> done);

  // Any thread. A transaction that its client named ends before Commit(): FindOutcome() tells why.
  // Not for others: their ids would push out those that somebody asks for.
  void NoteAbort(TransactionId id, Error reason);

  // Any thread. An id for a client that names none.
  TransactionId NewTransactionId();

  // Any thread. A snapshot that contains everything committed before this call, anywhere in the
  // group. `done` runs on the partition's strand. Errors as ReadBarrier's.
  void ReadSnapshot(Callback<Result<Snapshot>> done);

  // Any thread. What is applied here, however old that is.
  Result<Snapshot> LocalSnapshot() const;

  // Any thread, at once, from memory. An LSN that is applied here, if it is known to contain
  // everything that was committed before this call, anywhere in the group: then LocalSnapshot() is
  // as good as ReadSnapshot(). Nothing when only ReadSnapshot() can tell: entries wait for their
  // application, others could commit too, or this replica does not serve.
  std::optional<Lsn> CurrentLsn() const;

  // Any thread; blocks. Syncs the objects' file system, records how far they are durable, and lets
  // the log drop what nobody needs. Called by the node now and then, not per push.
  Status SyncObjects();
  // The file system was synced by somebody else after every entry up to `lsn` was applied.
  Status ObjectsDurable(Lsn lsn);
  // Any thread. Tries again to apply what a full disk held up; the two calls above do so, too.
  // Called by the node now and then: readers wait for it, and no commit may ever come.
  void RetryApply();

  // Any thread; blocks. What `consumer` of `snapshot` reads next; see txn::ReadChanges().
  // REQUIRES: the partition has objects, and with them a log store.
  Result<std::vector<CommittedChange>> ReadChanges(const Snapshot& snapshot,
                                                   const Consumer& consumer,
                                                   std::size_t count_max) const;
  // Any thread. Runs `done` once, on some thread, and must not block it: when more than `beyond` is
  // applied here, when the watch ends, or when the partition stops serving.
  std::uint64_t WatchApplied(Lsn beyond, Callback<> done);
  void EndWatch(std::uint64_t ticket);
  // Any thread. As of the last call of ObjectsDurable() that found something new.
  std::vector<ConsumerLag> consumer_lags() const;

  struct ManagerStatus {
    Lsn applied;
    Lsn objects_durable;
    bool leading = false;
    bool fenced = false;
    std::size_t in_flight = 0;
    std::size_t window_keys = 0;
    std::size_t window_bytes = 0;
  };
  // Any thread; may be a moment old.
  ManagerStatus status() const;

  // Any thread. Refuses new transactions, lets those under way end, then stops the log, answers
  // whoever waits for apply with kUnavailable, and calls `done` (on the strand). May be called
  // again: each `done` runs. Destroying the manager without it stands for a crash: callbacks under
  // way are dropped, and the log and the strands must not run any more.
  void Stop(Callback<> done);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace quorate::txn
