#include "sim/pack_transfer.h"

#include "consensus/testing/message_entries.h"
#include "txn/testing/peek.h"

namespace quorate::sim {

PackTransfer::PackTransfer(Group& group) : group_(group) {
  group_.network().SetGate([this](const raft::Message& message) { return Admit(message); });
}

PackTransfer::~PackTransfer() {
  group_.network().SetGate(nullptr);
}

bool PackTransfer::Admit(const raft::Message& message) {
  for (const consensus::EntryView& entry : consensus::EntriesOf(message.bytes)) {
    for (const git::PackRecord& pack : txn::PacksBesideTheLog(entry.data)) {
      if (!Bring(pack, message.to)) {
        return false;
      }
    }
  }
  return true;
}

bool PackTransfer::Bring(const git::PackRecord& pack, ReplicaId to) {
  git::FakePacks& packs = group_.node(to).packs;
  for (const ReplicaId from : group_.ids()) {
    if (group_.up(from) && group_.node(from).packs.Holds(pack.digest)) {
      return packs.Receive(pack).has_value();
    }
  }
  return packs.Holds(pack.digest);
}

}  // namespace quorate::sim
