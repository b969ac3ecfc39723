#include "txn/internal/apply_queue.h"

#include <utility>

namespace quorate::txn::internal {
namespace {

constexpr std::size_t kBatchEntriesMax = 256;
constexpr std::size_t kBatchBytesMax = 16 << 20;

}  // namespace

ApplyQueue::ApplyQueue(env::Strand& strand, env::Strand& storage, std::shared_ptr<Applier> applier,
                       OnBatch on_batch)
    : strand_(strand),
      storage_(storage),
      applier_(std::move(applier)),
      on_batch_(std::move(on_batch)) {
}

void ApplyQueue::Push(ApplyItem item) {
  strand_.AssertCurrent();
  if (closed_) {
    return;
  }
  waiting_.push_back(std::move(item));
  if (!stalled_) {
    Start();
  }
}

void ApplyQueue::Retry() {
  strand_.AssertCurrent();
  if (stalled_ && !busy_) {
    Start();
  }
}

void ApplyQueue::Close() {
  strand_.AssertCurrent();
  closed_ = true;
  waiting_.clear();
}

bool ApplyQueue::busy() const {
  strand_.AssertCurrent();
  return busy_;
}

bool ApplyQueue::stalled() const {
  strand_.AssertCurrent();
  return stalled_;
}

void ApplyQueue::Start() {
  if (busy_ || closed_ || waiting_.empty()) {
    return;
  }
  std::vector<ApplyItem> items;
  std::size_t bytes = 0;
  while (!waiting_.empty() && items.size() < kBatchEntriesMax && bytes < kBatchBytesMax) {
    bytes += waiting_.front().entry.data.size();
    items.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  busy_ = true;
  storage_.Post([self = shared_from_this(), items = std::move(items)]() mutable {
    Applier& applier = *self->applier_;
    applier.Apply(std::move(items),
                  [self = std::move(self)](Status status, std::vector<ApplyItem> done) mutable {
                    Batch batch{.applied = self->applier_->applied(),
                                .status = std::move(status),
                                .committed_at = done.front().committed_at};
                    env::Strand& strand = self->strand_;
                    strand.Post([self = std::move(self), done = std::move(done),
                                 batch = std::move(batch)]() mutable {
                      self->Finish(std::move(done), std::move(batch));
                    });
                  });
  });
}

void ApplyQueue::Finish(std::vector<ApplyItem> items, Batch batch) {
  strand_.AssertCurrent();
  busy_ = false;
  stalled_ = !batch.status && batch.status.error().code() == Code::kResourceExhausted;
  if (stalled_ && !closed_) {
    const Lsn applied = batch.applied.lsn;
    for (auto item = items.rbegin(); item != items.rend() && item->entry.lsn > applied; ++item) {
      waiting_.push_front(std::move(*item));
    }
  }
  if (!batch.status && !stalled_) {
    closed_ = true;
    waiting_.clear();
  }
  on_batch_(batch);
  if (!stalled_) {
    Start();
  }
}

}  // namespace quorate::txn::internal
