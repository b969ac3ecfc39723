// Which side-stored packs a partition's log names.
#pragma once

#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/log_store.h"

namespace quorate::cluster::internal {

// Digests of the packs that entries still in the log want to find beside it. Reads the whole log of
// the partition, in pieces. Blocks. kCorruption when an entry cannot be read.
Result<std::vector<Sha256Digest>> NamedPacks(const log::LogStore& logs, PartitionId partition);

}  // namespace quorate::cluster::internal
