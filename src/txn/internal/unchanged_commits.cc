#include "txn/internal/unchanged_commits.h"

#include <algorithm>
#include <utility>

namespace quorate::txn::internal {

void UnchangedCommits::Advance(Lsn committed) {
  while (!waiting_.empty() && waiting_.front().after <= committed) {
    // Held by the barrier, so that no later commit can have the same address, and its answer.
    std::shared_ptr<CommitInterest> interest = waiting_.front().interest;
    asked_->emplace(interest.get(), std::move(waiting_.front()));
    waiting_.pop_front();
    log_.ReadBarrier(
        [interest = std::move(interest), asked = asked_, count = count_](Result<Lsn> barrier) {
          const auto at = asked->find(interest.get());
          if (at == asked->end()) {
            return;  // Withdrawn.
          }
          Commit commit = std::move(at->second);
          asked->erase(at);
          if (barrier) {
            count(Ok());
            std::move(commit.done)(std::move(commit.outcome));
          } else {
            count(barrier.error());
            std::move(commit.done)(std::move(barrier).error());
          }
        });
  }
}

std::optional<UnchangedCommits::CommitDone> UnchangedCommits::Withdraw(
    const CommitInterest& interest) {
  const auto at = std::ranges::find_if(
      waiting_, [&](const Commit& commit) { return commit.interest.get() == &interest; });
  if (at != waiting_.end()) {
    CommitDone done = std::move(at->done);
    waiting_.erase(at);
    return done;
  }
  if (const auto asked = asked_->find(&interest); asked != asked_->end()) {
    CommitDone done = std::move(asked->second.done);
    asked_->erase(asked);
    return done;
  }
  return std::nullopt;
}

}  // namespace quorate::txn::internal
