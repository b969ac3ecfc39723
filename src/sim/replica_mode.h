// ReplicaMode: a partition's log kept by raft::Replica, as one member of a group.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "raft/replica.h"
#include "raft/transport.h"
#include "txn/testing/log_mode.h"

namespace quorate::sim {

class ReplicaMode final : public txn::LogMode {
 public:
  // Bootstraps replica `id` of a group with these voters. `transport` outlives it. Without a seed
  // in `options`, one is drawn from the environment at each start.
  ReplicaMode(ReplicaId id, std::vector<ReplicaId> voters, raft::Transport& transport,
              raft::ReplicaOptions options);

  // What Open() made last; as long as its owner keeps it.
  raft::Replica& replica() { return *replica_; }

  std::string_view name() const override { return "raft"; }
  Status Bootstrap(const txn::LogModeParts& parts) override;
  std::unique_ptr<log::LogManager> Open(const txn::LogModeParts& parts) override;

 private:
  const ReplicaId id_;
  const std::vector<ReplicaId> voters_;
  raft::Transport& transport_;
  const raft::ReplicaOptions options_;
  raft::Replica* replica_ = nullptr;
};

// A group of one: raft::Replica with nobody to write to.
std::unique_ptr<txn::LogMode> NewSoleVoterMode();

}  // namespace quorate::sim
