// What must hold of a Raft group at every step, whatever the network and the disks do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "consensus/testing/model_replica.h"

namespace quorate::consensus::testing {

class Checker {
 public:
  // A proposal was accepted at `position`; it counts as acknowledged once an entry with this
  // position and data is applied anywhere.
  void OnProposed(const Position& position, std::string data);
  void OnApplied(const ModelReplica& replica, const Entry& entry);

  // A read was asked for now: it must see everything acknowledged so far.
  void OnReadAsked(const std::string& context);
  void OnReadRefused(const std::string& context);
  // A read is served at a replica that applied up to `applied`.
  void OnReadServed(const std::string& context, Lsn applied);

  void CheckLeader(const ModelReplica& replica);
  void CheckAlive(const ModelReplica& replica);

  // Of a replica that has caught up: all that was acknowledged is there, once and in order.
  void CheckComplete(const ModelReplica& replica);

  // The first thing that was wrong.
  const std::optional<std::string>& violation() const { return violation_; }
  void Fail(std::string what);

  std::uint64_t acknowledged() const { return acknowledged_.size(); }
  std::uint64_t reads_served() const { return reads_served_; }

 private:
  struct Truth {
    Entry entry;
    ConfState conf_state;
  };

  std::map<Lsn, Truth> truth_;               // What was applied, by whoever was first.
  std::map<Position, std::string> open_;     // Proposed, not seen applied.
  std::map<Lsn, std::string> acknowledged_;  // Command names.
  std::map<Term, ReplicaId> leaders_;
  std::map<std::string, Lsn> read_floors_;
  std::uint64_t reads_served_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace quorate::consensus::testing
