// What the process that is killed writes, and what the test expects to find.
#pragma once

#include <string>

#include "base/ids.h"

namespace quorate::log {

inline constexpr std::uint64_t kKillPartitions = 4;

inline std::string KillPayload(PartitionId partition, Lsn lsn) {
  return std::string(1 + (partition.value * 31 + lsn.value * 7) % 3000,
                     static_cast<char>('a' + lsn.value % 26));
}

}  // namespace quorate::log
