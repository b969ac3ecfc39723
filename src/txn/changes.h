// What happened to a repository, read from the log in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"
#include "log/log_store.h"
#include "txn/consumer.h"
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

// What `consumer`, as `snapshot` has it, reads next: the changes of its repository behind what it
// acknowledged, up to what `snapshot` contains. The first `count_max`, or fewer if they take much
// room in the log; none only if there are none. Blocks.
//
// The log of this replica may begin behind what was acknowledged: while nothing concerns a
// consumer, the log is not kept for it (ConsumerKeeper). `store` is asked whether that is so still.
// kUnavailable: the consumer has moved on since `snapshot`; kCorruption.
Result<std::vector<CommittedChange>> ReadChanges(const log::LogStore& logs, const kv::Store& store,
                                                 const Snapshot& snapshot, const Consumer& consumer,
                                                 std::size_t count_max);

}  // namespace quorate::txn
