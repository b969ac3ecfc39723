// What a Raft log is made of: entries, and the little state that goes with them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace quorate::consensus {

// The numbers are the engine's and are stored on disk; never renumber.
enum class EntryType : std::uint8_t { kNormal = 0, kConfChange = 1, kConfChangeV2 = 2 };

// One log entry as someone else holds it: `data` is borrowed.
struct EntryView {
  Lsn lsn;
  Term term;
  EntryType type = EntryType::kNormal;
  std::string_view data;

  friend bool operator==(const EntryView&, const EntryView&) = default;
};

// One log entry. A new leader's first entry, and the one that ends a joint configuration, have
// empty data.
struct Entry {
  Lsn lsn;
  Term term;
  EntryType type = EntryType::kNormal;
  std::string data;

  Position position() const { return {.lsn = lsn, .term = term}; }
  EntryView view() const { return {lsn, term, type, data}; }
  static Entry From(const EntryView& view) {
    return {view.lsn, view.term, view.type, std::string(view.data)};
  }
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What a replica promised to its peers. `term` and `vote` must never go back, not even after a
// crash; `commit` may lag.
struct HardState {
  Term term;
  ReplicaId vote;  // 0 is nobody.
  Lsn commit;

  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace quorate::consensus
