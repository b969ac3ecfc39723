// What a partition leaves in the store besides its log.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"

namespace quorate::cluster::internal {

// Removes every record of the partition in the state family. Unsynced; idempotent. Blocks.
Status DestroyState(kv::Store& store, PartitionId partition);

}  // namespace quorate::cluster::internal
