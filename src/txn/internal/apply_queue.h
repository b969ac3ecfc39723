// ApplyQueue: committed entries waiting to be applied. Lives on the partition's strand; sends
// batches, one at a time, to the Applier, which begins on the storage strand.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "env/strand.h"
#include "txn/internal/applier.h"

namespace quorate::txn::internal {

class ApplyQueue : public std::enable_shared_from_this<ApplyQueue> {
 public:
  struct Batch {
    Position applied;                          // How far it came,
    Status status;                             // and why no further.
    std::chrono::nanoseconds committed_at{0};  // Of its oldest entry.
  };
  // Called on the partition's strand after each batch.
  using OnBatch = std::function<void(const Batch& batch)>;

  // The strands outlive it.
  ApplyQueue(env::Strand& strand, env::Strand& storage, std::shared_ptr<Applier> applier,
             OnBatch on_batch);

  ApplyQueue(const ApplyQueue&) = delete;
  ApplyQueue& operator=(const ApplyQueue&) = delete;

  void Push(ApplyItem item);

  // Tries again what a full disk refused.
  void Retry();

  // No batch begins any more; what waits is dropped (the log has it).
  void Close();

  bool busy() const;
  // The disk was full; nothing is applied until Retry() succeeds.
  bool stalled() const;

 private:
  void Start() QUORATE_REQUIRES(strand_);
  void Finish(std::vector<ApplyItem> items, Batch batch);

  env::Strand& strand_;
  env::Strand& storage_;
  const std::shared_ptr<Applier> applier_;  // One call at a time, begun on storage_.
  const OnBatch on_batch_;

  std::deque<ApplyItem> waiting_ QUORATE_GUARDED_BY(strand_);
  bool busy_ QUORATE_GUARDED_BY(strand_) = false;
  bool stalled_ QUORATE_GUARDED_BY(strand_) = false;
  bool closed_ QUORATE_GUARDED_BY(strand_) = false;
};

}  // namespace quorate::txn::internal
