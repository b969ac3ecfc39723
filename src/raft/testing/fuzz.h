// A seeded storm over a group of replicas, and what must hold in it and after it.
//
// During the storm messages are lost, doubled, delayed and cut off, disks stand still, processes
// crash at any task with any prefix of what was not synced, leaders are asked to step aside, and
// reads and entries come in all the while. Then the weather clears. Checked:
//   - no term has two leaders;
//   - all replicas are handed the same entry at the same LSN, and no entry twice;
//   - an entry that was reported as committed to its proposer is in the state in the end;
//   - a read barrier lies no lower than what any replica had been handed when it was asked for;
//   - no replica is fenced, every restart succeeds;
//   - afterwards there is a leader, and every replica has the same state.
//
// The same seed gives the same run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "raft/internal/unsafe_options.h"

namespace quorate::raft {

struct FuzzOptions {
  std::uint64_t seed = 1;
  std::uint64_t replicas = 3;
  int storm_turns = 500;
  int calm_turns = 400;
  internal::UnsafeOptions unsafe{};
  bool acknowledge_at_append = false;  // The harness itself errs: it takes appended for committed.
};

struct FuzzResult {
  std::optional<std::string> violation;
  std::uint64_t digest = 0;
  int acknowledged = 0;
  int crashes = 0;
  int reads = 0;
  int leaderships = 0;
  int transfers = 0;
};

FuzzResult RunFuzz(const FuzzOptions& options);

}  // namespace quorate::raft
