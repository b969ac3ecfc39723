// What a partition does before its log starts: finds how far it was applied, and redoes what the
// file system may have lost although the store says it was applied: the objects above the synced
// position.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "txn/transaction_manager.h"

namespace quorate::txn::internal {

struct Recovered {
  Position applied;
  Lsn objects_durable;
};

// Blocks. kCorruption: the log lacks what must be redone, or cannot be read.
Result<Recovered> Recover(const TransactionManagerDeps& deps);

}  // namespace quorate::txn::internal
