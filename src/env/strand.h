// A Strand runs tasks one at a time, in the order they were posted, on some thread of a pool.
//
// It is also a thread *role*: state marked QUORATE_GUARDED_BY(strand) may only be touched by tasks
// of that strand, and clang rejects the program otherwise.
#pragma once

#include <memory>
#include <string_view>

#include "base/callback.h"
#include "base/thread_annotations.h"

namespace quorate::env {

using Task = Callback<>;

class QUORATE_CAPABILITY("strand") Strand {
 public:
  virtual ~Strand() = default;

  // Queues `task`; never runs it inline. Safe from any thread. Tasks posted after the pool was
  // stopped are destroyed without being run. The task may destroy the strand, also before this call
  // has returned.
  virtual void Post(Task task) = 0;

  // Aborts unless the caller is a task of this strand.
  virtual void AssertCurrent() const QUORATE_ASSERT_CAPABILITY(this) = 0;
};

// Makes strands that share threads. The pool outlives its strands. Whether its tasks may block is
// the pool's rule: the core pool's never do, the storage and git pools' may.
class StrandPool {
 public:
  virtual ~StrandPool() = default;

  virtual std::unique_ptr<Strand> NewStrand() = 0;

  // Runs `task` on some thread of the pool, concurrently with others.
  virtual void Post(Task task) = 0;
};

}  // namespace quorate::env
