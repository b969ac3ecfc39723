// UnchangedCommits: commits that change nothing, from their verification to their answer. Each
// waits until what it was verified against is committed, and then for a read barrier: nothing is
// written, yet the promise is the same, that what was found is committed and nobody else led
// meanwhile.
//
// On the partition's strand.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "log/log_manager.h"
#include "txn/internal/commit_interest.h"
#include "txn/transaction_manager.h"

namespace quorate::txn::internal {

class UnchangedCommits {
 public:
  using CommitDone = TransactionManager::CommitDone;
  struct Commit {
    Lsn after;  // What must be committed before.
    CommitOutcome outcome;
    CommitDone done;
    std::shared_ptr<CommitInterest> interest;  // No other commit has it.
  };

  // `log` outlives it; `count`, called with each answer of a barrier, may be called when this is
  // gone.
  UnchangedCommits(log::LogManager& log, std::function<void(const Status& barrier)> count)
      : log_(log), count_(std::move(count)) {}

  UnchangedCommits(const UnchangedCommits&) = delete;
  UnchangedCommits& operator=(const UnchangedCommits&) = delete;

  void Add(Commit commit) { waiting_.push_back(std::move(commit)); }
  // Everything up to `committed` is: asks for whom that was enough.
  void Advance(Lsn committed);
  // Nobody waits for it any more: who must be told so. Nothing if it is not here.
  std::optional<CommitDone> Withdraw(const CommitInterest& interest);
  // Those for which nothing has been asked; of the others the log says what became of them.
  std::deque<Commit> TakeWaiting() { return std::exchange(waiting_, {}); }

  // Nothing waits for a commit.
  bool empty() const { return waiting_.empty(); }

 private:
  using Asked = std::unordered_map<const CommitInterest*, Commit>;

  log::LogManager& log_;
  const std::function<void(const Status&)> count_;
  std::deque<Commit> waiting_;                                      // In the order of `after`.
  const std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();  // Barriers are under way.
};

}  // namespace quorate::txn::internal
