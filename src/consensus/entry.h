// What the engine asks us to keep: log entries and the hard state of a group.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace quorate::consensus {

enum class EntryType : std::uint8_t { kNormal = 0, kConfChange = 1, kConfChangeV2 = 2 };

// One record of a group's log. A new leader's first entry is kNormal with empty data (its no-op).
struct Entry {
  Lsn lsn;
  Term term;
  EntryType type = EntryType::kNormal;
  std::string data;

  Position position() const { return {.lsn = lsn, .term = term}; }
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What a replica must remember of elections. `vote` is 0 for nobody. `commit` may lag behind.
struct HardState {
  Term term;
  ReplicaId vote;
  Lsn commit;

  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace quorate::consensus
