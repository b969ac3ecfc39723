// What became of a transaction, for a client that did not hear it: its connection broke, or the
// node that it spoke to died.
//
// A committed transaction is known on every replica for as long as ids are remembered. That one was
// aborted is known only where that was decided, to the extent of a bounded memory, and until the
// process ends: another node finds nothing of it, and says no more than that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "txn/snapshot.h"

namespace quorate::txn {

// Nothing was done by this attempt. A later one with the same id may succeed.
struct AbortedTransaction {
  Code code = Code::kInternal;
  std::string reason;
  std::int64_t time_unix_micros = 0;
};

struct TransactionOutcome {
  enum class State : std::uint8_t {
    kCommitted,
    kAborted,  // On this node, and no attempt that was handed in here can still be committed.
    // Nobody knows yet: an attempt waits for its turn, or is in the log, or was appended here and
    // leadership went.
    kInFlight,
    // Not committed so far, since every id ever used is remembered. It did not arrive, or it was
    // aborted elsewhere or too long ago to be remembered.
    kNotFound,
    // Not committed at `known_from` or later; what was before that is forgotten.
    kTooOld,
  };
  State state = State::kNotFound;
  std::optional<CommittedTransaction> committed{};  // If committed.
  std::optional<AbortedTransaction> aborted{};      // If aborted.
  Lsn known_from{};                                 // Snapshot::TransactionsKnownFrom().
};

// "committed", "aborted", "in_flight", "not_found", "too_old".
std::string_view StateName(TransactionOutcome::State state);

}  // namespace quorate::txn
