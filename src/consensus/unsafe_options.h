// Settings of the engine that break it, for the tests that show how. Never in the product.
#pragma once

namespace quorate::consensus {

struct UnsafeOptions {
  bool pre_vote = true;
  bool check_quorum = true;
  bool batch_append = false;         // true: a follower acknowledges entries that it does not have.
  bool lease_read = false;           // true: stale reads when ticks stall.
  bool allow_remove_leader = false;  // true: our guards against self-removal are off.
};

}  // namespace quorate::consensus
