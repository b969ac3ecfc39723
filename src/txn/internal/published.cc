#include "txn/internal/published.h"

#include <algorithm>
#include <utility>

#include "txn/life_cycle.h"

namespace quorate::txn::internal {

void Published::Pin::Release() {
  if (owner_ != nullptr) {
    const std::lock_guard lock(owner_->mutex_);
    owner_->pins_.erase(at_);
  }
  owner_ = nullptr;
}

Published::Pin Published::MakePin(const std::shared_ptr<Published>& self) {
  const std::lock_guard lock(self->mutex_);
  return Pin(self, self->pins_.insert(self->applied_));
}

Lsn Published::Evictable() const {
  const std::lock_guard lock(mutex_);
  return pins_.empty() ? applied_ : std::min(applied_, *pins_.begin());
}

Lsn Published::applied() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

void Published::SetApplied(Lsn applied) {
  const std::lock_guard lock(mutex_);
  applied_ = applied;
}

void Published::SetCommitted(Lsn committed) {
  const std::lock_guard lock(mutex_);
  committed_ = committed;
}

std::optional<Lsn> Published::Current() const {
  const std::lock_guard lock(mutex_);
  const bool serving = open_ && !stopped_ && !fenced_;
  return serving && applied_ >= committed_ ? std::optional(applied_) : std::nullopt;
}

Lsn Published::objects_durable() const {
  const std::lock_guard lock(mutex_);
  return objects_durable_;
}

void Published::SetObjectsDurable(Lsn lsn) {
  const std::lock_guard lock(mutex_);
  objects_durable_ = std::max(objects_durable_, lsn);
}

Status Published::Serving() const {
  const std::lock_guard lock(mutex_);
  if (fenced_) {
    return Error(Code::kCorruption, "this replica is fenced: " + fenced_->message());
  }
  if (stopped_) {
    return MakeLifeCycleError(LifeCycleError::Call::kBegin, LifeCycleError::Reason::kClosed);
  }
  if (!open_) {
    return Error(Code::kUnavailable, "not open yet");
  }
  return Ok();
}

void Published::SetOpen() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

void Published::SetStopped() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void Published::SetFenced(Error reason) {
  const std::lock_guard lock(mutex_);
  if (!fenced_) {
    fenced_ = std::move(reason);
  }
}

bool Published::fenced() const {
  const std::lock_guard lock(mutex_);
  return fenced_.has_value();
}

Published::Counts Published::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Published::SetCounts(Counts counts) {
  const std::lock_guard lock(mutex_);
  counts_ = counts;
}

}  // namespace quorate::txn::internal
