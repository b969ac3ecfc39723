// LogView shows the engine one replica's log: the entry cache in front, the log store behind it.
//
// It also knows where the log begins and ends. Strand: the replica's. Reads of the store may block
// on the disk; they happen only for a peer that lags behind the cache.
//
// Fails with the codes of consensus::Storage; a store that does not have what it must have is
// answered with kCorruption, which fences the replica.
#pragma once

#include <cstddef>
#include <span>

#include "base/ids.h"
#include "base/result.h"
#include "consensus/entry.h"
#include "consensus/storage.h"
#include "log/log_store.h"
#include "raft/entry_cache.h"

namespace quorate::raft::internal {

class LogView final : public consensus::Storage {
 public:
  // `store` outlives it.
  LogView(PartitionId partition, log::LogStore& store);

  // Takes over what the store has. `hard_state` and `conf_state` are what the engine begins with.
  Status Open(const log::StoredLog& stored, consensus::HardState hard_state,
              consensus::ConfState conf_state);

  // Entries that the engine handed out: readable from now on, replacing what was there.
  Status Append(std::span<const consensus::EntryView> entries);

  // Forgets cached entries that are applied and durable, and more of the durable ones if the cache
  // holds more than `bytes_max`.
  void Trim(Lsn applied, Lsn durable, std::size_t bytes_max);

  // Everything up to `upto` is gone. REQUIRES: an entry of this log, on disk.
  void Truncated(Position upto);

  Position truncated() const { return truncated_; }
  Lsn last() const { return cache_.last().lsn; }
  const EntryCache& cache() const { return cache_; }

  Result<consensus::InitialState> ReadInitialState() override;
  Status Entries(Lsn low, Lsn high, std::uint64_t bytes_max, consensus::EntrySink& sink) override;
  Result<Term> TermAt(Lsn lsn) override;
  Result<Lsn> FirstIndex() override;
  Result<Lsn> LastIndex() override;
  Result<consensus::Checkpoint> MakeCheckpoint(Lsn at_least, ReplicaId to) override;

 private:
  const PartitionId partition_;
  log::LogStore& store_;

  consensus::InitialState initial_;
  Position truncated_;
  EntryCache cache_;
};

}  // namespace quorate::raft::internal
