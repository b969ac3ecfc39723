// PackTransfer: brings packs that are stored beside the log to a replica together with the entry
// that names them, so that a follower counts itself in only when it has the bytes.
//
// A stand-in for peers that stream such packs to one another, without which production cannot serve
// several voters. A message with entries arrives only if every pack that they name and do not carry
// is here, or a replica that is up has it and it is copied; else it is lost, and sent again.
#pragma once

#include "sim/group.h"

namespace quorate::sim {

class PackTransfer {
 public:
  // `group` outlives it.
  explicit PackTransfer(Group& group);
  ~PackTransfer();

  PackTransfer(const PackTransfer&) = delete;
  PackTransfer& operator=(const PackTransfer&) = delete;

 private:
  bool Admit(const raft::Message& message);
  bool Bring(const git::PackRecord& pack, ReplicaId to);

  Group& group_;
};

}  // namespace quorate::sim
