// The seam between transactions and the log that orders them.
//
// A partition's TransactionManager verifies a transaction and appends it; the LogManager decides
// when it is committed: LocalLog after one synced write, raft::Replica when a majority of the
// configured replicas has it on disk. The manager above cannot tell them apart.
//
// Everything here happens on the partition's strand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "consensus/entry.h"

namespace quorate::log {

// The part of a replica that the log drives.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  // Committed entries, each exactly once since Start(), in LSN order without gaps, beginning right
  // behind the `applied` given to Start(). Entries with empty data (a leader's no-op) and
  // configuration changes come too: they move the applied LSN. The state machine applies them and
  // reports with LogManager::Applied(). Entries may still be un-applied when the next ones arrive;
  // a replica bounds how many, and what is committed beyond waits in the log; a LocalLog does so at
  // the start only.
  virtual void OnCommitted(std::vector<consensus::Entry> entries) = 0;

  // This replica leads in `term` and its own no-op is committed at `no_op`: once that is applied,
  // transactions may be appended (the term fence).
  virtual void OnLeading(Term term, Lsn no_op) = 0;

  // It leads no more (or is stopping). What was appended and has not come through OnCommitted() has
  // an unknown outcome, unless an entry of another term later comes with its LSN.
  virtual void OnFollowing(Term term, ReplicaId leader) = 0;

  // The replica is fenced: the engine panicked, or stored bytes are damaged. No further call
  // follows.
  virtual void OnFenced(const Error& reason) = 0;
};

struct LogStatus {
  Term term;
  bool leading = false;
  ReplicaId leader;  // 0 if unknown.
  std::vector<ReplicaId> voters;
  std::vector<ReplicaId> learners;
  Lsn first;    // Oldest entry kept.
  Lsn last;     // Newest entry, durable or not.
  Lsn durable;  // Newest entry on our disk.
  Lsn committed;
  Lsn applied;
};

class LogManager {
 public:
  using ReadDone = Callback<Result<Lsn>>;

  virtual ~LogManager() = default;

  // Begins to deliver. `machine` outlives the manager; `applied` is its durable applied position.
  // Called once. kCorruption when the stored log cannot be continued from there.
  virtual Status Start(StateMachine& machine, Position applied) = 0;

  // Takes `data` as the next entry and returns its position at once, before anything is on disk.
  // Its fate arrives through the StateMachine: an entry with this position is committed, or another
  // entry is committed at its LSN (then nothing was done), or OnFollowing (then nobody knows yet).
  //   kNotLeader           not leading (or not yet past the term fence); nothing was done;
  //   kUnavailable         leadership is being handed over, or stopping; nothing was done;
  //   kResourceExhausted   the bound on uncommitted bytes was reached; nothing was done.
  virtual Result<Position> Append(std::string data) = 0;

  // Everything up to `lsn` was applied (in memory terms: readable; its durability follows from the
  // log). Ascending.
  virtual void Applied(Lsn lsn) = 0;

  // Answers with an LSN such that whoever has applied up to it sees every entry committed before
  // this call anywhere in the group. kNotLeader, kUnavailable: ask again, perhaps elsewhere.
  virtual void ReadBarrier(ReadDone done) = 0;

  // Any thread, from Start() on. True while no other replica could commit an entry: whatever was
  // acknowledged anywhere in the group before this call had been committed through our
  // StateMachine by then, so that a read barrier need not ask. False says nothing.
  virtual bool CommitsAlone() const = 0;

  // Entries up to `lsn` are not needed any more by the state machine and what hangs on it; they may
  // be dropped. Never reaches behind what is applied.
  virtual void Compact(Lsn lsn) = 0;

  // The state machine is fenced: it applies nothing any more, and this replica should not lead.
  // Wherever others can, one of them takes over; entries go on being stored and voted for here.
  // Append() fails with kUnavailable. Cannot be taken back.
  virtual void Resign() = 0;

  virtual LogStatus status() const = 0;

  // Refuses new work, then calls `done` once no callback will follow.
  virtual void Stop(Callback<> done) = 0;
};

}  // namespace quorate::log
