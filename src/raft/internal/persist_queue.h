// PersistQueue holds, oldest first, what must wait for writes that are under way: the promises to
// other replicas that a ready made. A ready that wrote nothing still waits for those before it,
// whose entries its promises may cover.
//
// A value; no thread of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "consensus/message.h"

namespace quorate::raft::internal {

struct PersistTicket {
  std::uint64_t number = 0;  // Ready::number
  bool writing = false;
  std::vector<consensus::OutgoingMessage> messages;
};

class PersistQueue {
 public:
  void Push(PersistTicket ticket) { tickets_.push_back(std::move(ticket)); }

  // The oldest write under way is durable.
  void Written() {
    for (PersistTicket& ticket : tickets_) {
      if (ticket.writing) {
        ticket.writing = false;
        return;
      }
    }
    QUORATE_CHECK(false);  // Every completion belongs to a ticket.
  }

  // Takes the oldest ticket if nothing before or in it is still being written.
  std::optional<PersistTicket> Pop() {
    if (tickets_.empty() || tickets_.front().writing) {
      return std::nullopt;
    }
    PersistTicket ticket = std::move(tickets_.front());
    tickets_.pop_front();
    return ticket;
  }

 private:
  std::deque<PersistTicket> tickets_;
};

}  // namespace quorate::raft::internal
