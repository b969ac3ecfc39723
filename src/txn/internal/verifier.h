// Verifier: may this transaction follow everything that was appended before it?
//
// Pure and without I/O: it knows what the transaction read of its snapshot when it staged, and what
// the conflict window says was written since. Its answer is a function of the log before the entry.
#pragma once

#include <optional>
#include <vector>

#include "txn/internal/conflict_window.h"
#include "txn/internal/log_record.h"
#include "txn/internal/transaction_state.h"

namespace quorate::txn::internal {

struct Verdict {
  // Of each StageRef() call: why this reference cannot be changed, if it cannot.
  std::vector<std::optional<Conflict>> refs;
  // What stands against the transaction as a whole.
  std::vector<Conflict> others;
  // What is left to do if nothing does; without the packs. Empty: nothing changes.
  std::vector<Change> changes;
  // Of each StagePack() call: the pack goes with it. Not if every change of its repository that
  // could have wanted it was left out or changes nothing.
  std::vector<bool> packs;

  bool Accepted(bool all_or_nothing) const;
  bool ChangesNothing() const;
};

// REQUIRES: the snapshot is not below the window's floor.
Verdict Verify(const Transaction::State& transaction, const ConflictWindow& window);

}  // namespace quorate::txn::internal
