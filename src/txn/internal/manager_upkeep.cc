// What the node asks of TransactionManager now and then: objects synced, the log cut, apply
// retried.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "txn/internal/manager_impl.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn {

Status TransactionManager::Impl::SyncObjects() {
  QUORATE_TRY(published_->Serving());
  const Lsn applied = published_->applied();
  if (deps_.files != nullptr && !options_.testing.skip_object_sync) {
    QUORATE_TRY(deps_.files->SyncFileSystem(deps_.root));
  }
  return ObjectsDurable(applied);
}

// The record is written behind the state that it speaks of and before the log is cut, and a crash
// keeps a prefix: so none of the three needs a sync of its own.
Status TransactionManager::Impl::ObjectsDurable(Lsn lsn) {
  QUORATE_TRY(published_->Serving());
  const std::lock_guard lock(objects_durable_mutex_);
  lsn = std::min(lsn, published_->applied());
  if (lsn <= published_->objects_durable()) {
    RetryApply();
    return Ok();
  }
  kv::WriteBatch batch;
  RecordObjectsDurable(deps_.partition, lsn, batch);
  QUORATE_TRY(deps_.store.Write(std::move(batch), {.sync = false}));
  published_->SetObjectsDurable(lsn);
  // Taken behind `lsn`: a consumer that it lacks is made later, and reads nothing up to there.
  const Snapshot snapshot = QUORATE_TRY(Snapshot::Take(deps_.partition, deps_.store, *mark_));
  const auto round = QUORATE_TRY(consumers_.Look(snapshot, published_->counts().leading));
  CompactTo(round.needless && !options_.testing.forget_consumers ? std::min(lsn, *round.needless)
                                                                 : lsn);
  for (const Consumer& consumer : round.too_far_behind) {
    CutOff(consumer);
  }
  return Ok();
}

// The low-water mark is `lsn`. A few entries stay nevertheless, for replicas that are behind.
void TransactionManager::Impl::CompactTo(Lsn lsn) {
  const Lsn applied = published_->applied();
  const std::uint64_t kept = options_.entries_kept;
  const Lsn upto = std::min(lsn, Lsn{applied.value > kept ? applied.value - kept : 0});
  deps_.strand.Post([self = shared_from_this(), upto] {
    self->deps_.strand.AssertCurrent();
    const bool running = self->log_started_ && !self->log_stopping_ && !self->published_->fenced();
    if (running && upto > kBootstrapPosition.lsn) {
      self->deps_.log.Compact(upto);
    }
    self->apply_->Retry();
    self->sequencer_->TrimWindow();
  });
}

// If it does not succeed, the next round tries again.
void TransactionManager::Impl::CutOff(const Consumer& consumer) {
  Result<Transaction> cut = Begin({.actor = "quorate", .push_options = {}, .id = {}});
  if (!cut || !cut->StageConsumerCutOff(consumer.repository, consumer.name)) {
    return;
  }
  Commit(cut->TakeState(), std::make_shared<internal::CommitInterest>(),
         [self = shared_from_this(), consumer](const Result<CommitOutcome>& outcome) {
           if (!outcome) {
             return;
           }
           self->deps_.metrics
               .GetCounter("quorate_consumers_cut_off_total", "Consumers that fell too far behind.",
                           {})
               .Add();
           self->deps_.logger.Warn("consumer cut off",
                                   {{"partition", self->deps_.partition.value},
                                    {"consumer", consumer.name},
                                    {"lost_first", consumer.acknowledged.value + 1},
                                    {"lost_last", outcome->lsn.value}});
         });
}

void TransactionManager::Impl::RetryApply() {
  deps_.strand.Post([self = shared_from_this()] {
    if (self->apply_ != nullptr) {
      self->apply_->Retry();
    }
  });
}

}  // namespace quorate::txn
