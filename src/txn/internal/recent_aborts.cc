#include "txn/internal/recent_aborts.h"

#include <utility>

namespace quorate::txn::internal {

void RecentAborts::Add(std::string id, AbortedTransaction abort) {
  if (abort.reason.size() > kReasonBytesMax) {
    abort.reason.resize(kReasonBytesMax);
  }
  Remembered& remembered = by_id_[id];
  remembered.abort = std::move(abort);
  ++remembered.times;
  order_.push_back(std::move(id));
  while (order_.size() > count_max_) {
    const auto oldest = by_id_.find(order_.front());
    if (--oldest->second.times == 0) {
      by_id_.erase(oldest);
    }
    order_.pop_front();
  }
}

const AbortedTransaction* RecentAborts::Find(std::string_view id) const {
  const auto at = by_id_.find(std::string(id));
  return at == by_id_.end() ? nullptr : &at->second.abort;
}

}  // namespace quorate::txn::internal
