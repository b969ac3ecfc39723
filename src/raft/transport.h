// How a replica's messages reach the other replicas of its group.
//
// Messages may be lost, delayed, duplicated and reordered; the engine copes. A transport never
// blocks the caller and bounds what it holds per peer: beyond, it drops.
#pragma once

#include <string>

#include "base/ids.h"

namespace quorate::raft {

struct Message {
  PartitionId partition;
  ReplicaId from;
  ReplicaId to;
  std::string bytes;           // eraftpb.Message
  bool is_checkpoint = false;  // Its fate must be reported to the sender's engine.
  // Where the sender's log begins. Entries up to there are on the disk of every member, so that the
  // receiver need not keep them for the others either. 0 says nothing.
  Lsn truncated{};
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Takes the message and returns at once. Called on the sender's strand.
  virtual void Send(Message message) = 0;
};

}  // namespace quorate::raft
