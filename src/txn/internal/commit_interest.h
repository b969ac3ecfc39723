// Whether anybody still wants a commit: shared by who waits for it and by the sequencer.
#pragma once

#include <atomic>

namespace quorate::txn::internal {

struct CommitInterest {
  // Set on any thread, read on the strand before the transaction is admitted.
  std::atomic<bool> cancelled{false};
};

}  // namespace quorate::txn::internal
