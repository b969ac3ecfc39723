// AppliedWatch tells who waits for it that a partition went on: that more than some entry is
// applied here.
//
// Bounded by its callers, who each hold one ticket. Safe from any thread; callbacks run on the
// thread that makes them due, without a lock held.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"

namespace quorate::txn::internal {

class AppliedWatch {
 public:
  // Runs `done` once: as soon as more than `beyond` is applied, at End() of the ticket, or at
  // EndAll(); at once if one of these was the case before.
  std::uint64_t Begin(Lsn beyond, Callback<> done);
  // Without effect if it has run.
  void End(std::uint64_t ticket);

  void Advance(Lsn applied);
  // The partition stops serving: nobody need wait any more.
  void EndAll();

 private:
  struct Watch {
    Lsn beyond;
    Callback<> done;
  };

  std::mutex mutex_;  // Guards what follows.
  Lsn applied_;
  bool ended_ = false;
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, Watch> watches_;
};

}  // namespace quorate::txn::internal
