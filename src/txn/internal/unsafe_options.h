// Mistakes that a TransactionManager can be told to make, for the tests that show that they are
// noticed (sim/planted_bugs.h). Never in the product.
#pragma once

namespace quorate::txn::internal {

struct UnsafeOptions {
  // Verification
  bool forget_point_reads = false;      // A serializable transaction's reads of single names,
  bool forget_prefix_reads = false;     // and of ranges, are not checked.
  bool forget_assertions = false;       // VerifyRef() holds whatever the reference is.
  bool forget_transaction_ids = false;  // A retry is admitted while its first attempt is under way.

  bool forget_term_fence = false;  // A new leader verifies before its first entry is applied.

  // The conflict window
  bool evict_behind_floor = false;    // Entries go, and who needs them is not "too old".
  bool keep_lost_proposals = false;   // They stay when leadership goes.
  bool forget_others_writes = false;  // Entries of another leader's are not in it.

  // Answers
  bool acknowledge_at_append = false;
  bool refuse_unknown = false;     // Who loses leadership says "nothing was done".
  bool answer_unchanged = false;   // Without a barrier.
  bool read_before_apply = false;  // A barrier's reader does not wait for its entries.
  bool read_locally = false;       // CurrentLsn() does not ask whether others could commit.

  // Apply and the life of the log
  bool apply_last_twice = false;     // A start goes on from before what is applied.
  bool install_after_apply = false;  // References become visible before their objects.
  bool skip_object_sync = false;     // Objects are called durable, and are not.
  bool forget_consumers = false;     // The log is cut whoever has not read it.
};

}  // namespace quorate::txn::internal
