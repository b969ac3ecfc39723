// ReplicaCheck: looks into all replicas of a group: their states, their objects, what they hold in
// memory.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/ids.h"
#include "sim/group.h"
#include "sim/oracle.h"

namespace quorate::sim {

class ReplicaCheck {
 public:
  // Both outlive it.
  ReplicaCheck(Group& group, Oracle& oracle) : group_(group), oracle_(oracle) {}

  // Of every replica that serves: its state is the model's at its LSN, byte by byte that of every
  // other replica at that LSN, and all objects that its references need are installed.
  void CheckStates();

  // Every node is up and has applied everything that was committed; one of them takes transactions.
  bool Converged();

  // After the last client: CheckStates(), all transaction ids, every consumer can read all that it
  // has not acknowledged, everywhere; and nothing is left over: no conflict window, nothing in
  // flight, no quarantine. `restarted`: nor a pack that nobody needs, which a start drops.
  void CheckEnd(bool restarted);

 private:
  void CheckClosure(ReplicaId at, const txn::Snapshot& snapshot);
  void CheckConsumers(ReplicaId at, const txn::Snapshot& snapshot);
  void CheckLeftovers(ReplicaId at);
  void CheckStagedPacks(ReplicaId at);

  Group& group_;
  Oracle& oracle_;
};

}  // namespace quorate::sim
