// Reads one partition's records and checks them against one another.
#pragma once

#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"
#include "log/internal/records.h"
#include "log/log_store.h"

namespace quorate::log::internal {

// What the writer must know of a stored log to append to it.
struct Tail {
  Lsn truncated;
  Lsn last;
};

// Nothing if the partition has no log here. Finds the end with O(log n) reads, trusting that there
// is no gap: Load() has checked it.
Result<std::optional<Tail>> FindTail(const kv::Reader& reader, PartitionId partition);

// As LogStore::Load(). `reader` is a snapshot, or nothing is written meanwhile.
Result<StoredLog> LoadStoredLog(const kv::Reader& reader, PartitionId partition);

// Nothing if there is no such record.
Result<std::optional<Position>> FindTruncated(const kv::Reader& reader, PartitionId partition);

}  // namespace quorate::log::internal
