// What a partition does before its log starts: finds how far it was applied, and redoes what the
// file system may have lost although the store says it was applied: the objects above the synced
// position.
#pragma once

#include <memory>

#include "base/ids.h"
#include "base/result.h"
#include "log/log_store.h"
#include "txn/internal/conflict_window.h"
#include "txn/transaction_manager.h"

namespace quorate::txn::internal {

struct Recovered {
  Position applied;
  Lsn objects_durable;
  std::unique_ptr<ConflictWindow> window;  // With the tail of what is applied.
};

// Blocks. kCorruption: the log lacks what must be redone, or cannot be read.
Result<Recovered> Recover(const TransactionManagerDeps& deps, const WindowBounds& bounds);

// The window of a replica that has applied up to `applied`, read from its log. As much of the tail
// as the log still has; nothing of it if the log cannot be read, which nobody needs it for.
std::unique_ptr<ConflictWindow> ReadWindow(const log::LogStore& logs, PartitionId partition,
                                           Lsn applied, const WindowBounds& bounds);

}  // namespace quorate::txn::internal
