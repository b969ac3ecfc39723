// DeliveryWindow says how many committed entries the state machine may be handed: they are in its
// memory until it has applied them, and it may be slower than the group commits.
//
// What is committed beyond stays in the log; of it only the position is known here. A value; no
// thread of its own.
#pragma once

#include <cstddef>
#include <deque>

#include "base/ids.h"

namespace quorate::raft::internal {

class DeliveryWindow {
 public:
  // `bytes_max` bounds what is handed over and not applied; one entry always fits.
  explicit DeliveryWindow(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // To begin with: everything up to `applied` is applied, and no more is known.
  void Reset(Lsn applied);

  // The engine has handed out all up to `lsn`.
  void Committed(Lsn lsn);

  // Whether the machine may have the next entry, delivered().Next(), which has `data_bytes`. If so
  // it counts as delivered.
  bool Take(std::size_t data_bytes);

  // Returns the bytes of data in what was applied since the last call. REQUIRES: lsn <=
  // delivered().
  std::size_t Applied(Lsn lsn);

  Lsn committed() const { return committed_; }
  Lsn delivered() const { return delivered_; }
  // Entries wait, in (delivered(), committed()].
  bool holds_back() const { return delivered_ < committed_; }
  std::size_t unapplied_bytes() const { return unapplied_bytes_; }
  // Data for which there is room; 0 if the next entry is known not to fit.
  std::size_t room() const;

 private:
  bool Fits(std::size_t data_bytes) const;

  const std::size_t bytes_max_;
  Lsn committed_;
  Lsn delivered_;
  std::deque<std::size_t> unapplied_;  // Data bytes of each, up to delivered_.
  std::size_t unapplied_bytes_ = 0;    // Theirs, with overhead.
  std::size_t refused_bytes_ = 0;      // Data of the next one, if it was refused.
};

}  // namespace quorate::raft::internal
