// Ways to run the ready loop wrongly, for the tests that show that they are noticed. Never in the
// product.
#pragma once

namespace quorate::raft::internal {

struct UnsafeOptions {
  bool send_before_persist = false;   // Promises leave before what they promise is on disk.
  bool split_hard_state = false;      // Term and vote are written apart from the entries, unsynced.
  bool skip_sync = false;             // Nothing is owed a sync.
  bool answer_reads_locally = false;  // A read barrier is the own commit, unasked.
};

}  // namespace quorate::raft::internal
