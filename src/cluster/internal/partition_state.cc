#include "cluster/internal/partition_state.h"

#include <string>
#include <utility>

#include "base/bytes.h"

namespace quorate::cluster::internal {

Status DestroyState(kv::Store& store, PartitionId partition) {
  // Every key of the family begins with its partition, big-endian (docs/formats/state.md).
  std::string first;
  std::string behind;
  AppendBigEndian64(first, partition.value);
  AppendBigEndian64(behind, partition.value + 1);
  kv::WriteBatch batch;
  batch.DeleteRange(kv::Family::kState, std::move(first), std::move(behind));
  return store.Write(std::move(batch), {});
}

}  // namespace quorate::cluster::internal
