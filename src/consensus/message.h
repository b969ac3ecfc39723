// Messages between the replicas of a group. They cross as bytes (eraftpb.Message); what routing,
// batching and checking need of them stands beside.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace quorate::consensus {

// The engine's numbers; they are on the wire.
enum class MessageType : std::uint32_t {
  kHup = 0,
  kBeat = 1,
  kPropose = 2,
  kAppend = 3,
  kAppendResponse = 4,
  kRequestVote = 5,
  kRequestVoteResponse = 6,
  kSnapshot = 7,
  kHeartbeat = 8,
  kHeartbeatResponse = 9,
  kUnreachable = 10,
  kSnapshotStatus = 11,
  kCheckQuorum = 12,
  kTransferLeader = 13,
  kTimeoutNow = 14,
  kReadIndex = 15,
  kReadIndexResponse = 16,
  kRequestPreVote = 17,
  kRequestPreVoteResponse = 18,
};

struct OutgoingMessage {
  ReplicaId to;
  std::uint32_t type = 0;  // A MessageType; numbers of a newer engine pass through.
  Term term;
  Lsn lsn;
  std::uint32_t entry_count = 0;
  std::string bytes;         // What the peer hands to RawNode::Step().
  bool is_snapshot = false;  // Must end in RawNode::ReportSnapshot(), whatever becomes of it.

  bool Is(MessageType wanted) const { return type == static_cast<std::uint32_t>(wanted); }
};

// Who a message says it is from. A peer can fence a replica with a well-formed lie, so a transport
// compares this with what it knows of the connection before it calls RawNode::Step().
struct MessageHeader {
  std::uint32_t type = 0;
  ReplicaId to;
  ReplicaId from;
  Term term;
};

// kInvalidArgument if `bytes` is no message.
Result<MessageHeader> PeekMessage(std::string_view bytes);

// The answer to a ReadIndex(): a read may be served once everything up to `lsn` is applied.
struct ReadState {
  Lsn lsn;
  std::string context;
};

}  // namespace quorate::consensus
