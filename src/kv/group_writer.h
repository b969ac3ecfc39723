// GroupWriter: unsynced batches of many writers, in as few writes of one Store as there can be.
//
// While one write is in the store, perhaps behind somebody's sync, the batches that come gather and
// share the next. So a thread of the pool is not held for each of them, and the store's log is
// appended to once for all.
//
// Write() may be called from any thread on which the store may be written.
#pragma once

#include <cstddef>
#include <memory>

#include "base/callback.h"
#include "base/result.h"
#include "env/strand.h"
#include "kv/store.h"

namespace quorate::kv {

struct GroupWriterOptions {
  std::size_t group_bytes_max = 8 << 20;     // One write carries no more than about this.
  std::size_t waiting_bytes_max = 64 << 20;  // Beyond, whoever comes waits in the store instead.
  // For tests in one thread, where otherwise nobody ever came while another writes: no batch is
  // written before its call returns.
  bool always_gather = false;
};

class GroupWriter {
 public:
  // `store` outlives it; `strand` belongs to a pool whose tasks may block.
  GroupWriter(Store& store, std::unique_ptr<env::Strand> strand, GroupWriterOptions options = {});
  // What waits is dropped with its callbacks: let the writers come to their ends first.
  ~GroupWriter();

  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  // Blocks if nobody is writing, or too much waits. `done` gets what Store::Write() said, once: on
  // this thread before the call returns, or on the strand. A batch that must not overtake another
  // is handed in after the other's `done`.
  void Write(WriteBatch batch, Callback<Status> done);

 private:
  class Queue;
  const std::shared_ptr<Queue> queue_;  // Tasks on the strand hold it weakly.
};

}  // namespace quorate::kv
