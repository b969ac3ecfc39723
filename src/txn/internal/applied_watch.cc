#include "txn/internal/applied_watch.h"

#include <utility>

namespace quorate::txn::internal {

std::uint64_t AppliedWatch::Begin(Lsn beyond, Callback<> done) {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  if (!ended_ && applied_ <= beyond) {
    watches_.emplace(ticket, Watch{.beyond = beyond, .done = std::move(done)});
    return ticket;
  }
  lock.unlock();
  std::move(done)();
  return ticket;
}

void AppliedWatch::End(std::uint64_t ticket) {
  std::unique_lock lock(mutex_);
  auto ended = watches_.extract(ticket);
  lock.unlock();
  if (!ended.empty()) {
    std::move(ended.mapped().done)();
  }
}

void AppliedWatch::Advance(Lsn applied) {
  std::vector<Callback<>> due;
  {
    const std::lock_guard lock(mutex_);
    applied_ = applied;
    for (auto it = watches_.begin(); it != watches_.end();) {
      if (it->second.beyond < applied) {
        due.push_back(std::move(it->second.done));
        it = watches_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (Callback<>& done : due) {
    std::move(done)();
  }
}

void AppliedWatch::EndAll() {
  std::map<std::uint64_t, Watch> all;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    all.swap(watches_);
  }
  for (auto& [ticket, watch] : all) {
    std::move(watch.done)();
  }
}

}  // namespace quorate::txn::internal
