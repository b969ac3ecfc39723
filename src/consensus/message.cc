#include "consensus/message.h"

#include "consensus/internal/wire.h"

namespace quorate::consensus {

Result<MessageHeader> PeekMessage(std::string_view bytes) {
  enum Field { kType = 1, kTo = 2, kFrom = 3, kTerm = 4 };  // Of eraftpb.Message.
  MessageHeader header;
  internal::WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == kType) {
      header.type = static_cast<std::uint32_t>(in.number());
    } else if (in.field() == kTo) {
      header.to = ReplicaId{in.number()};
    } else if (in.field() == kFrom) {
      header.from = ReplicaId{in.number()};
    } else if (in.field() == kTerm) {
      header.term = Term{in.number()};
    }
  }
  if (!in.ok()) {
    return Error(Code::kInvalidArgument, "malformed Raft message");
  }
  return header;
}

}  // namespace quorate::consensus
