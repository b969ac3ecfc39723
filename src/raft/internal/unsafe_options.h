// Ways to run the ready loop wrongly, for the tests that show that they are noticed. Never in the
// product.
#pragma once

#include "consensus/unsafe_options.h"

namespace quorate::raft::internal {

struct UnsafeOptions {
  bool send_before_persist = false;    // Promises leave before what they promise is on disk.
  bool report_before_persist = false;  // The engine is told of writes that only have begun.
  bool split_hard_state = false;      // Term and vote are written apart from the entries, unsynced.
  bool skip_sync = false;             // Nothing is owed a sync.
  bool lead_without_fence = false;    // Accepts entries before the first of its term is committed.
  bool deliver_again = false;         // A start hands the machine what it has applied.
  bool compact_past_members = false;  // Drops entries that a member still needs.
  bool answer_reads_locally = false;  // A read barrier is the own commit, unasked.
  bool repeat_read_contexts = false;  // All questions of one life look the same.

  consensus::UnsafeOptions engine{};
};

}  // namespace quorate::raft::internal
