// What the engine asks of a replica's log. Implemented by the Raft manager over the log store.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/result.h"
#include "consensus/conf_state.h"
#include "consensus/entry.h"

namespace quorate::consensus {

// Takes entries out of Storage::Entries(). Copies what it is given.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  virtual void Push(const EntryView& entry) = 0;
};

struct InitialState {
  HardState hard_state;  // commit may lag behind the applied LSN; it is raised to it.
  ConfState conf_state;  // As of the applied LSN. Empty for a replica that was just created.
};

// Reads of one replica's log, made by RawNode inside its own calls and on the caller's thread. An
// implementation must not call back into the RawNode, and must serve at once, from memory or disk,
// everything that came in a Ready whose AdvanceAppend() was called, synced or not.
//
// Only the codes named below are answers. Anything else, an exception, or entries that are not the
// ones asked for fence the replica (RawNode::poisoned()): retry transient read errors inside.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual Result<InitialState> ReadInitialState() = 0;

  // Pushes the entries [low, high) in order: at least one, then as many as fit in `bytes_max`.
  //   kNotFound     low is below FirstIndex(): compacted away
  //   kUnavailable  high is beyond LastIndex() + 1
  virtual Status Entries(Lsn low, Lsn high, std::uint64_t bytes_max, EntrySink& sink) = 0;

  // The term of the entry at `lsn`, for FirstIndex() - 1 <= lsn <= LastIndex().
  //   kNotFound     below that: compacted away
  //   kUnavailable  above that
  virtual Result<Term> TermAt(Lsn lsn) = 0;

  // The first LSN that Entries() can serve; one more than the truncated position if there is none.
  virtual Result<Lsn> FirstIndex() = 0;
  // The last LSN of the log; the truncated position if it is empty. 0 in a new replica.
  virtual Result<Lsn> LastIndex() = 0;

  // A checkpoint at or above `at_least`, for the peer `to`. The engine puts it into a message; from
  // then on the host must report how that went with RawNode::ReportSnapshot().
  //   kUnavailable  it is being made: the engine asks again at that peer's next heartbeat answer
  virtual Result<Checkpoint> MakeCheckpoint(Lsn at_least, ReplicaId to) = 0;
};

}  // namespace quorate::consensus
