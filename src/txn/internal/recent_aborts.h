// RecentAborts remembers why the last transactions of a partition were aborted here.
//
// Bounded: the oldest is forgotten first, and long reasons are cut. Lost with the process. On the
// partition's strand.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "txn/outcome.h"

namespace quorate::txn::internal {

class RecentAborts {
 public:
  static constexpr std::size_t kReasonBytesMax = 512;

  explicit RecentAborts(std::size_t count_max) : count_max_(count_max) {}

  RecentAborts(const RecentAborts&) = delete;
  RecentAborts& operator=(const RecentAborts&) = delete;

  // The latest reason of an id stays.
  void Add(std::string id, AbortedTransaction abort);

  // Null if it was not aborted here, or too many were since.
  const AbortedTransaction* Find(std::string_view id) const;

  std::size_t size() const { return by_id_.size(); }

 private:
  struct Remembered {
    AbortedTransaction abort;
    std::size_t times = 0;  // How often the id is in order_.
  };

  const std::size_t count_max_;
  std::unordered_map<std::string, Remembered> by_id_;
  std::deque<std::string> order_;  // Oldest first; an id that was aborted again comes again.
};

}  // namespace quorate::txn::internal
