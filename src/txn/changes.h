// What happened to a repository, read from the log in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/log_store.h"
#include "txn/snapshot.h"

namespace quorate::txn {

// What one committed transaction did to a repository.
struct CommittedChange {
  struct Move {
    std::string name;  // Of a reference, or "HEAD".
    std::optional<RefValue> before;
    std::optional<RefValue> after;
  };
  struct ConfigMove {
    std::string name;
    std::vector<std::string> before;  // None: it was not set.
    std::vector<std::string> after;
  };
  Lsn lsn;
  std::string transaction_id;  // 16 raw bytes.
  std::string actor;
  std::int64_t time_unix_micros = 0;
  // At least one of either.
  std::vector<Move> moves;
  std::vector<ConfigMove> configs;
};

// The changes of `repository` behind the entry `after`, up to what `snapshot` contains: the first
// `count_max`, or fewer if they take much room in the log; none only if there are none. Blocks.
// kUnavailable: the log of this replica begins later, another one may have them; kCorruption.
Result<std::vector<CommittedChange>> ReadChanges(const log::LogStore& logs,
                                                 const Snapshot& snapshot, RepositoryId repository,
                                                 Lsn after, std::size_t count_max);

}  // namespace quorate::txn
