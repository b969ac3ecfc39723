#include "sim/replica_mode.h"

#include <utility>

#include "base/check.h"
#include "consensus/conf_state.h"

namespace quorate::sim {
namespace {

class NoPeers final : public raft::Transport {
 public:
  void Send(raft::Message) override { QUORATE_CHECK(false); }
};

class SoleVoterMode final : public txn::LogMode {
 public:
  std::string_view name() const override { return "raft1"; }
  Status Bootstrap(const txn::LogModeParts& parts) override { return mode_.Bootstrap(parts); }
  std::unique_ptr<log::LogManager> Open(const txn::LogModeParts& parts) override {
    return mode_.Open(parts);
  }

 private:
  NoPeers nobody_;
  ReplicaMode mode_{ReplicaId{1}, {ReplicaId{1}}, nobody_, {}};
};

}  // namespace

ReplicaMode::ReplicaMode(ReplicaId id, std::vector<ReplicaId> voters, raft::Transport& transport,
                         raft::ReplicaOptions options)
    : id_(id), voters_(std::move(voters)), transport_(transport), options_(options) {
}

Status ReplicaMode::Bootstrap(const txn::LogModeParts& parts) {
  consensus::ConfState conf;
  conf.voters = voters_;
  return parts.logs.Bootstrap(parts.partition, {.replica = id_, .incarnation = id_.value},
                              conf.Encode());
}

std::unique_ptr<log::LogManager> ReplicaMode::Open(const txn::LogModeParts& parts) {
  raft::ReplicaOptions options = options_;
  if (options.seed == 0) {
    options.seed = parts.env.Next() | 1;  // Not 0: it would ask the machine for one.
  }
  auto replica =
      std::make_unique<raft::Replica>(parts.partition,
                                      raft::Replica::Environment{.strand = parts.strand,
                                                                 .logs = parts.logs,
                                                                 .transport = transport_,
                                                                 .random = parts.env,
                                                                 .logger = parts.logger,
                                                                 .metrics = parts.metrics},
                                      options);
  replica_ = replica.get();
  return replica;
}

std::unique_ptr<txn::LogMode> NewSoleVoterMode() {
  return std::make_unique<SoleVoterMode>();
}

}  // namespace quorate::sim
