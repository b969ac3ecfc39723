#include "raft/internal/delivery_window.h"

#include <algorithm>

#include "base/check.h"
#include "consensus/entry.h"

namespace quorate::raft::internal {
namespace {

// Entries without data take memory too.
constexpr std::size_t kOverheadBytes = sizeof(consensus::Entry);

}  // namespace

void DeliveryWindow::Reset(Lsn applied) {
  committed_ = applied;
  delivered_ = applied;
  unapplied_.clear();
  unapplied_bytes_ = 0;
  refused_bytes_ = 0;
}

void DeliveryWindow::Committed(Lsn lsn) {
  committed_ = std::max(committed_, lsn);
}

bool DeliveryWindow::Fits(std::size_t data_bytes) const {
  return unapplied_.empty() || unapplied_bytes_ + data_bytes + kOverheadBytes <= bytes_max_;
}

bool DeliveryWindow::Take(std::size_t data_bytes) {
  if (!Fits(data_bytes)) {
    refused_bytes_ = data_bytes;
    return false;
  }
  refused_bytes_ = 0;
  delivered_ = delivered_.Next();
  unapplied_.push_back(data_bytes);
  unapplied_bytes_ += data_bytes + kOverheadBytes;
  return true;
}

std::size_t DeliveryWindow::Applied(Lsn lsn) {
  QUORATE_CHECK(lsn <= delivered_);
  std::size_t data_bytes = 0;
  while (delivered_.value - lsn.value < unapplied_.size()) {
    data_bytes += unapplied_.front();
    unapplied_bytes_ -= unapplied_.front() + kOverheadBytes;
    unapplied_.pop_front();
  }
  return data_bytes;
}

std::size_t DeliveryWindow::room() const {
  if (!Fits(refused_bytes_)) {
    return 0;
  }
  const std::size_t held = unapplied_bytes_ + kOverheadBytes;
  return held < bytes_max_ ? bytes_max_ - held : 1;
}

}  // namespace quorate::raft::internal
