// Who is in a group, and changes to it, with their stable encodings (those of eraftpb.proto, the
// engine's schema: what the log and the peers carry).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace quorate::consensus {

// A group's configuration. While `voters_outgoing` is not empty the group is in a joint
// configuration: every decision needs a majority of `voters` and one of `voters_outgoing`.
struct ConfState {
  std::vector<ReplicaId> voters;
  std::vector<ReplicaId> learners;
  std::vector<ReplicaId> voters_outgoing;
  std::vector<ReplicaId> learners_next;  // Voters now that become learners when joint ends.
  bool auto_leave = false;               // The leader ends the joint configuration by itself.

  bool joint() const { return !voters_outgoing.empty(); }
  bool IsVoter(ReplicaId id) const;  // In either half.
  bool Contains(ReplicaId id) const;

  std::string Encode() const;
  // kCorruption if the bytes are no ConfState.
  static Result<ConfState> Decode(std::string_view bytes);

  // "voters=(1 2 3) outgoing=(1 2) learners=(4) learners_next=() auto_leave"
  std::string ToString() const;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

enum class ConfChangeKind : std::uint8_t { kAddVoter = 0, kRemove = 1, kAddLearner = 2 };

// How a change of several members is gone through.
enum class ConfTransition : std::uint8_t {
  kAuto = 0,      // One step if one change is enough, else joint, left by itself.
  kImplicit = 1,  // Always joint, left by itself.
  kExplicit = 2,  // Always joint, until an empty change is proposed.
};

// A proposed change. Without `changes` it ends a joint configuration.
struct ConfChange {
  struct Single {
    ConfChangeKind kind = ConfChangeKind::kAddVoter;
    ReplicaId replica;
    friend bool operator==(const Single&, const Single&) = default;
  };

  ConfTransition transition = ConfTransition::kAuto;
  std::vector<Single> changes;
  std::string context;  // Ours: travels with the change, the engine does not look at it.

  std::string Encode() const;
  // Decodes the data of a kConfChangeV2 entry (empty data is an empty change). kCorruption if the
  // bytes are none.
  static Result<ConfChange> Decode(std::string_view bytes);

  friend bool operator==(const ConfChange&, const ConfChange&) = default;
};

// What a lagging or new replica is sent instead of entries: the state at `position`. `manifest`
// is the sender's description of that state; the engine does not look at it.
struct Checkpoint {
  Position position;
  ConfState conf_state;
  std::string manifest;

  std::string Encode() const;
  static Result<Checkpoint> Decode(std::string_view bytes);

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

}  // namespace quorate::consensus
