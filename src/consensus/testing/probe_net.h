// A few replicas on a network that a test holds in its hand, for directed probes.
#pragma once

#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consensus/testing/model_replica.h"

namespace quorate::consensus::testing {

class ProbeNet {
 public:
  using Customise = std::function<void(ModelReplica&)>;

  // Replicas `ids`; those that are `voters` are members of the bootstrapped group, the others have
  // nothing yet.
  ProbeNet(std::initializer_list<std::uint64_t> ids, std::vector<ReplicaId> voters,
           const Customise& customise = {});

  ModelReplica& at(std::uint64_t id) { return *replicas_.at(id); }
  RawNode& node(std::uint64_t id) { return at(id).node(); }
  NodeStatus status(std::uint64_t id) { return at(id).status(); }

  // One turn of everybody, then delivery of what was sent. Snapshots are reported as they end.
  void Round();
  void Settle(int rounds = 30);
  void Ticks(int count);
  void Elect(std::uint64_t id);
  // The leader of the highest term; 0 if there is none.
  std::uint64_t Leader();

  Result<Position> Propose(std::uint64_t id, std::string_view data);
  Result<Position> Change(std::uint64_t id, std::vector<ConfChange::Single> changes,
                          ConfTransition transition = ConfTransition::kAuto);
  bool Applied(std::uint64_t id, std::string_view command);

  Send sender();

  std::set<std::uint64_t> isolated;
  std::function<bool(const Envelope&)> drop;  // True: the message is lost.
  bool report_snapshots = true;
  std::deque<Envelope> queue;

 private:
  void Deliver(const Envelope& envelope);

  std::map<std::uint64_t, std::unique_ptr<ModelReplica>> replicas_;
};

ConfChange::Single AddVoter(std::uint64_t id);
ConfChange::Single AddLearner(std::uint64_t id);
ConfChange::Single Remove(std::uint64_t id);

// A message as a peer would encode it.
struct WireMessage {
  MessageType type = MessageType::kHeartbeat;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t term = 0;
  std::uint64_t log_term = 0;
  std::uint64_t index = 0;
  std::uint64_t commit = 0;
  std::vector<Entry> entries;

  std::string Encode() const;
};

}  // namespace quorate::consensus::testing
