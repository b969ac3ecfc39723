#include "txn/internal/log_weight.h"

#include "base/check.h"

namespace quorate::txn::internal {

Status LogWeight::Cover(Lsn after, Lsn last) {
  if (totals_.empty() || after.Next() < first_) {
    Forget();
    first_ = after.Next();
  }
  while (!totals_.empty() && first_ <= after) {
    total_before_ = totals_.front();
    totals_.pop_front();
    first_ = first_.Next();
  }
  if (totals_.empty()) {
    first_ = after.Next();  // What was skipped has no weight for anybody.
  }
  const Lsn next{first_.value + totals_.size()};
  if (next > last) {
    return Ok();
  }
  return logs_.ForEachSize(partition_, next, last.Next(), [this](std::size_t bytes) {
    totals_.push_back((totals_.empty() ? total_before_ : totals_.back()) + bytes);
  });
}

std::uint64_t LogWeight::BytesBehind(Lsn after) const {
  QUORATE_CHECK(after.Next() >= first_);
  const std::uint64_t index = after.value + 1 - first_.value;  // Of the first one that counts.
  if (index >= totals_.size()) {
    return 0;
  }
  return totals_.back() - (index == 0 ? total_before_ : totals_[index - 1]);
}

void LogWeight::Forget() {
  totals_.clear();
  total_before_ = 0;
}

}  // namespace quorate::txn::internal
