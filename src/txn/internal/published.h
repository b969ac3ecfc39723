// What a partition shows to threads other than its strand: the applied LSN, whether it serves, and
// which snapshots open transactions hold (their pins keep the conflict window from being
// forgotten).
//
// A leaf with a mutex; never calls out. Shared, because a transaction may outlive its manager.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "base/ids.h"
#include "base/result.h"

namespace quorate::txn::internal {

class Published {
 public:
  explicit Published(Lsn applied) : applied_(applied), committed_(applied) {}

  // Held by an open transaction. What its snapshot may lack is not evicted (unless space runs out).
  class Pin {
   public:
    Pin() = default;
    Pin(std::shared_ptr<Published> owner, std::multiset<Lsn>::iterator at)
        : owner_(std::move(owner)), at_(at) {}
    ~Pin() { Release(); }
    Pin(Pin&& other) noexcept : owner_(std::move(other.owner_)), at_(other.at_) {}
    Pin& operator=(Pin&&) = delete;
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    void Release();

    std::shared_ptr<Published> owner_;
    std::multiset<Lsn>::iterator at_;
  };

  // To be taken before the snapshot: whatever it contains is at least what the pin says.
  static Pin MakePin(const std::shared_ptr<Published>& self);

  // The newest LSN that no pin needs: what may be evicted.
  Lsn Evictable() const;

  Lsn applied() const;
  void SetApplied(Lsn applied);

  // Told before anybody hears that the entry is committed.
  void SetCommitted(Lsn committed);
  // What is applied, if that is all that is committed and this replica serves.
  std::optional<Lsn> Current() const;

  Lsn objects_durable() const;
  // Never goes back.
  void SetObjectsDurable(Lsn lsn);

  // Why transactions and snapshots are refused: closed before Open() and after Stop(), or fenced.
  // Ok when they are not.
  Status Serving() const;
  void SetOpen();
  void SetStopped();
  void SetFenced(Error reason);  // The first reason stays.
  bool fenced() const;

  struct Counts {
    bool leading = false;
    std::size_t in_flight = 0;
    std::size_t window_keys = 0;
    std::size_t window_bytes = 0;
  };
  Counts counts() const;
  void SetCounts(Counts counts);

 private:
  mutable std::mutex mutex_;
  Lsn applied_;
  Lsn committed_;
  Lsn objects_durable_;
  bool open_ = false;
  bool stopped_ = false;
  std::optional<Error> fenced_;
  Counts counts_;
  std::multiset<Lsn> pins_;
};

}  // namespace quorate::txn::internal
