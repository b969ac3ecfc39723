// LogWeight: how many bytes of a partition's log lie behind an entry, without reading them again
// and again. It remembers the running total at each entry of the stretch that somebody asks for.
//
// Eight bytes an entry, for no more than it is told. Not for several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/ids.h"
#include "base/result.h"
#include "log/log_store.h"

namespace quorate::txn::internal {

class LogWeight {
 public:
  LogWeight(PartitionId partition, const log::LogStore& logs)
      : partition_(partition), logs_(logs) {}

  LogWeight(const LogWeight&) = delete;
  LogWeight& operator=(const LogWeight&) = delete;

  // Looks at the entries in (after, last] that it does not know yet, and forgets those up to
  // `after`. Blocks. kCorruption, kNotFound: not all of them are in the log.
  Status Cover(Lsn after, Lsn last);

  // Bytes of the entries in (after, last]. REQUIRES: Cover() was called with an `after` that is not
  // behind this one.
  std::uint64_t BytesBehind(Lsn after) const;

  void Forget();

 private:
  const PartitionId partition_;
  const log::LogStore& logs_;
  Lsn first_;                         // totals_[0] is that of this entry.
  std::deque<std::uint64_t> totals_;  // Up to and with each entry.
  std::uint64_t total_before_ = 0;    // Up to the entry before first_.
};

}  // namespace quorate::txn::internal
