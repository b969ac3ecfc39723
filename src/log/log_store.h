// LogStore keeps the entries and the Raft state of every partition of a node in one kv::Store, and
// makes them durable with as few fsyncs as possible.
//
// One writer gathers what all groups want persisted into one batch with one sync (group commit); while
// a sync runs, the next batch gathers. Persist() may be called from any strand; completions are posted
// to the strand that the caller names, in the order of that partition's calls.
//
// A failed write or sync ends the process, whatever it was: the kernel may have dropped the pages, so
// that a retry could lie. Only a full disk found before anything was written is refused (DiskFull).
//
// Formats: docs/formats/log.md.
#pragma once

#include <cstdint>
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
  Position truncated;      // Entries up to here were dropped (or never were here).
  Lsn last;                // == truncated.lsn when there are no entries.
};

// One partition's share of a durable batch. Everything in it becomes durable together.
struct PersistRequest {
  PartitionId partition;
  // Ascending without gaps. Stored entries from the first one's LSN on are replaced.
  std::vector<consensus::Entry> entries;
  std::optional<consensus::HardState> hard_state;
  // False only for a hard state that merely moves `commit`: then no sync is owed to it alone, yet it
  // never overtakes an earlier request.
  bool must_sync = true;
};

struct LogStoreOptions {
  std::size_t batch_bytes_max = 16 << 20;  // One group commit carries no more than about this.
};

class LogStore {
 public:
  // `store` and `writer` outlive it; `writer` belongs to a pool whose tasks may block.
  LogStore(kv::Store& store, std::unique_ptr<env::Strand> writer, LogStoreOptions options,
           env::Logger& logger, env::Metrics& metrics);
  ~LogStore();

  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // Makes the records of a new group at kBootstrapPosition: identity, configuration, empty log.
  // Synced. Blocks. kAlreadyExists if the partition has an identity or a tombstone here.
  Status Bootstrap(PartitionId partition, const Identity& identity, std::string conf_state);

  // What is stored of `partition`. Blocks. kNotFound without an identity, kCorruption when the
  // records contradict one another (a gap in the entries, a commit beyond the end ...).
  Result<StoredLog> Load(PartitionId partition) const;

  // All partitions with an identity, ascending. Blocks.
  Result<std::vector<PartitionId>> Partitions() const;

  // Removes every record of the partition and leaves a tombstone. Synced. Blocks. Idempotent.
  Status Destroy(PartitionId partition);

  // Queues the request and returns at once. `done` is posted to `strand` when the request, and every
  // earlier one of the same partition, is durable (or written, where no sync is owed).
  void Persist(PersistRequest request, env::Strand& strand, Callback<> done);

  // Entries [lo, hi) in order, at least one, stopping beyond `bytes_max`. Only what was persisted
  // (Persist() has completed). Blocks. kNotFound: below the first or beyond the last.
  Result<std::vector<consensus::Entry>> Read(PartitionId partition, Lsn lo, Lsn hi,
                                             std::size_t bytes_max) const;
  Result<Term> TermAt(PartitionId partition, Lsn lsn) const;

  // Drops the entries up to and including `upto.lsn`. Unsynced; ordered with Persist() by the same
  // writer. Idempotent.
  void TruncatePrefix(PartitionId partition, Position upto);

  // The group's configuration as of `lsn`. Unsynced, ordered with Persist(): a crash may lose it,
  // then the entries after `conf_state_lsn` are applied again.
  void SaveConfState(PartitionId partition, std::string conf_state, Lsn lsn);

  // Since the store was opened.
  struct Totals {
    std::uint64_t syncs = 0;
    std::uint64_t batches = 0;
    std::uint64_t requests = 0;
  };
  Totals totals() const;

 private:
  class Writer;

  kv::Store& store_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace quorate::log
