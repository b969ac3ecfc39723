// AppliedMark: what the store holds of one partition, known without looking: how far it is applied,
// and the repository that was changed last.
//
// The applier says when a write of the state begins and what is in the store when it has ended;
// in between nothing is known. A leaf with a mutex: safe from any thread, never calls out.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/ids.h"

namespace quorate::txn {
struct RepositoryInfo;
}

namespace quorate::txn::internal {

class AppliedMark {
 public:
  struct Known {
    Position applied;
    std::shared_ptr<const RepositoryInfo> repository;  // As of `applied`. Null: none is known.
    std::uint64_t writes = 0;                          // Begun until then.
  };

  // One write at a time.
  void BeginWrite() {
    const std::lock_guard lock(mutex_);
    ++writes_;
    known_.reset();
  }
  // The write succeeded. After one that failed nothing is known any more.
  void EndWrite(Position applied, std::shared_ptr<const RepositoryInfo> repository) {
    const std::lock_guard lock(mutex_);
    known_ = {.applied = applied, .repository = std::move(repository), .writes = writes_};
  }

  // Nothing while a write is under way, and before the first.
  std::optional<Known> Read() const {
    const std::lock_guard lock(mutex_);
    return known_;
  }
  // No write has begun since: what was read of the store meanwhile is what `known` says.
  bool Holds(const Known& known) const {
    const std::lock_guard lock(mutex_);
    return known.writes == writes_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t writes_ = 0;
  std::optional<Known> known_;
};

}  // namespace quorate::txn::internal
