#include "log_modes.h"

#include <utility>

#include "base/check.h"
#include "consensus/conf_state.h"
#include "raft/replica.h"

namespace quorate::txn {
namespace {

constexpr ReplicaId kReplica{1};

// A group of one has nobody to write to.
class NoPeers final : public raft::Transport {
 public:
  void Send(raft::Message) override { QUORATE_CHECK(false); }
};

// raft::Replica as the only voter of its group.
class SoleVoterMode final : public LogMode {
 public:
  std::string_view name() const override { return "raft1"; }

  Status Bootstrap(const LogModeParts& parts) override {
    consensus::ConfState alone;
    alone.voters = {kReplica};
    return parts.logs.Bootstrap(parts.partition, {.replica = kReplica, .incarnation = 1},
                                alone.Encode());
  }

  std::unique_ptr<log::LogManager> Open(const LogModeParts& parts) override {
    raft::ReplicaOptions options;
    options.seed = parts.env.Next() | 1;  // Not 0: it would ask the machine for one.
    return std::make_unique<raft::Replica>(parts.partition,
                                           raft::Replica::Environment{.strand = parts.strand,
                                                                      .logs = parts.logs,
                                                                      .transport = nobody_,
                                                                      .random = parts.env,
                                                                      .logger = parts.logger,
                                                                      .metrics = parts.metrics},
                                           options);
  }

 private:
  NoPeers nobody_;
};

}  // namespace

std::map<std::string, ModeFactory> LogModes() {
  return {{"local", NewLocalMode}, {"raft1", [] { return std::make_unique<SoleVoterMode>(); }}};
}

}  // namespace quorate::txn
