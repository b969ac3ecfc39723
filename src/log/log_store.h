// LogStore keeps the entries and the Raft state of every partition of a node in one kv::Store, and
// makes them durable with as few fsyncs as possible.
//
// One writer gathers what all groups want persisted into one batch with one sync (group commit);
// while a sync runs, the next batch gathers. Persist() may be called from any strand; completions
// are posted to the strand that the caller names, in the order of that partition's calls.
//
// A write or sync that fails, for whatever reason, ends the process (LogStoreOptions::on_fatal):
// the kernel may have dropped the pages, or half a record may have been written, so that a retry
// could lie. Restarted, the process recovers what was acknowledged. A full disk is to be seen
// before it is full: who appends refuses new transactions while free space is below a threshold.
//
// Formats: docs/formats/log.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "consensus/entry.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/strand.h"
#include "kv/store.h"

namespace quorate::log {

// Who this replica is. Written once, when the replica is made.
struct Identity {
  ReplicaId replica;
  std::uint64_t incarnation = 0;  // Random; tells a replica from an earlier one on the same node.

  friend bool operator==(const Identity&, const Identity&) = default;
};

// What a replica finds of its log when it opens.
struct StoredLog {
  Identity identity;
  consensus::HardState hard_state;
  std::string conf_state;  // Encoded consensus::ConfState, as of `conf_state_lsn`.
  Lsn conf_state_lsn;
  Position truncated;  // Entries up to here were dropped (or never were here).
  Lsn last;            // == truncated.lsn when there are no entries.
};

// Where a log starts anew: everything up to `position` is in the state machine's data instead.
struct InstalledCheckpoint {
  Position position;
  std::string conf_state;  // As of that position.
};

// One partition's share of a durable batch. Everything in it becomes durable together.
struct PersistRequest {
  PartitionId partition;
  // First, if given: all stored entries are dropped, and the log is empty at the checkpoint.
  std::optional<InstalledCheckpoint> checkpoint{};
  // Ascending without gaps. Stored entries from the first one's LSN on are replaced.
  std::vector<consensus::Entry> entries{};
  std::optional<consensus::HardState> hard_state{};
  // False only for a hard state that merely moves `commit`: then no sync is owed to it alone, yet
  // it never overtakes an earlier request. Such a hard state need not be written before the next
  // entries are: Load() takes any `commit` that was written once.
  bool must_sync = true;
  // Whatever else must happen in the same instant: the state machine's switch to a checkpoint's
  // data.
  kv::WriteBatch with{};
};

struct LogStoreOptions {
  std::size_t batch_bytes_max = 16 << 20;  // One group commit carries no more than about this.
  // Called once, on the writer's strand, with what failed; nothing is written afterwards and no
  // completion follows. Unset: one line on stderr, one in the log, and exit status 1 without
  // destructors. Tests and the simulator set it.
  std::function<void(const Error&)> on_fatal{};
};

class LogStore {
 public:
  // `store`, `logger` and `metrics` outlive it; `writer` belongs to a pool whose tasks may block.
  // So does every strand named in Persist(), until its completion has run or the store is gone.
  LogStore(kv::Store& store, std::unique_ptr<env::Strand> writer, LogStoreOptions options,
           env::Logger& logger, env::Metrics& metrics);
  // Waits for the write that is running; drops the requests behind it. Stop the replicas first.
  ~LogStore();

  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // Makes the records of a new group at kBootstrapPosition: identity, configuration, empty log.
  // Synced. Blocks. kAlreadyExists if the partition has an identity or a tombstone here.
  Status Bootstrap(PartitionId partition, const Identity& identity, std::string conf_state);

  // Makes the records of a newcomer to a group that exists elsewhere: an identity, an empty log at
  // LSN 0, an empty configuration; the leader will send it a checkpoint. Synced. Blocks.
  // kAlreadyExists if the partition has an identity here, or a tombstone of this replica or of a
  // later one.
  Status Join(PartitionId partition, const Identity& identity);

  // What is stored of `partition`. Blocks. kNotFound without an identity, kCorruption when the
  // records contradict one another (a gap in the entries, a commit beyond the end ...).
  Result<StoredLog> Load(PartitionId partition) const;

  // All partitions with an identity, ascending. Blocks.
  Result<std::vector<PartitionId>> Partitions() const;

  // Removes every record of the partition and leaves a tombstone with its replica id. Requests of
  // the partition that were not yet written are dropped with their completions: stop the replica
  // first. Synced. Blocks. Idempotent; kNotFound if there never was a replica.
  Status Destroy(PartitionId partition);

  // The latest replica of `partition` that was destroyed here. Blocks.
  Result<std::optional<ReplicaId>> FindTombstone(PartitionId partition) const;

  // Queues the request and returns at once. The queue has no bound of its own: each partition
  // bounds what it has not yet seen persisted (uncommitted_bytes_max, the engine's window). `done`
  // is posted to `strand` when the request, and every earlier one of the same partition, is durable
  // (or written, where no sync is owed).
  void Persist(PersistRequest request, env::Strand& strand, Callback<> done);

  // Entries [lo, hi) in order, at least one, stopping beyond `bytes_max`. Only what was persisted
  // (Persist() has completed). Blocks. kNotFound: below the first or beyond the last; kCorruption:
  // an entry is damaged or missing.
  Result<std::vector<consensus::Entry>> Read(PartitionId partition, Lsn lo, Lsn hi,
                                             std::size_t bytes_max) const;
  // Calls `visit` with the size of each entry in [lo, hi), in order, as it is stored; reads no more
  // of them. Blocks. kNotFound: not all of them are there.
  Status ForEachSize(PartitionId partition, Lsn lo, Lsn hi,
                     const std::function<void(std::size_t bytes)>& visit) const;
  // Also of the truncated position. kNotFound as above.
  Result<Term> TermAt(PartitionId partition, Lsn lsn) const;

  // Drops the entries up to and including `upto.lsn`, which is not beyond the last. Unsynced;
  // ordered with Persist() by the same writer. Idempotent.
  void TruncatePrefix(PartitionId partition, Position upto);

  // The group's configuration as of `lsn`, and the hard state of the newest Persist() with a
  // `commit` that may be further. Unsynced, ordered with Persist(): a crash may lose it, then the
  // entries after `conf_state_lsn` are applied again.
  void SaveConfState(PartitionId partition, const consensus::HardState& hard_state,
                     std::string conf_state, Lsn lsn);

  // Since the store was opened.
  struct Totals {
    std::uint64_t syncs = 0;
    std::uint64_t batches = 0;
    std::uint64_t requests = 0;
  };
  Totals totals() const;

 private:
  class Writer;

  Status Create(PartitionId partition, const Identity& identity, Position start,
                std::string conf_state);

  kv::Store& store_;
  std::shared_ptr<Writer> writer_;  // Tasks on the writer's strand hold it weakly.
};

}  // namespace quorate::log
