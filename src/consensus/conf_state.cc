#include "consensus/conf_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "consensus/internal/wire.h"

namespace quorate::consensus {
namespace {

using internal::WireReader;
using internal::WireWriter;

// Field numbers of eraftpb.proto.
enum ConfStateField {
  kVoters = 1,
  kLearners = 2,
  kOutgoing = 3,
  kLearnersNext = 4,
  kAutoLeave = 5
};
enum ChangeField { kTransition = 1, kChanges = 2, kContext = 3 };
enum SingleField { kKind = 1, kReplica = 2 };
enum SnapshotField { kData = 1, kMetadata = 2 };
enum MetadataField { kConfState = 1, kIndex = 2, kTerm = 3 };

Error Malformed(const char* what) {
  return Error(Code::kCorruption, fmt::format("malformed {}", what));
}

bool Has(const std::vector<ReplicaId>& list, ReplicaId id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

void WriteIds(WireWriter& out, std::uint32_t field, const std::vector<ReplicaId>& ids) {
  for (const ReplicaId id : ids) {
    out.Element(field, id.value);
  }
}

// A repeated number: one element, or packed.
bool ReadIds(const WireReader& in, std::vector<ReplicaId>& ids) {
  if (in.is_number()) {
    ids.push_back(ReplicaId{in.number()});
    return true;
  }
  std::string_view packed = in.bytes();
  while (in.is_bytes() && !packed.empty()) {
    std::uint64_t id = 0;
    if (!WireReader::TakeVarint(packed, id)) {
      return false;
    }
    ids.push_back(ReplicaId{id});
  }
  return in.is_bytes();
}

bool ReadConfStateField(const WireReader& in, ConfState& state) {
  switch (in.field()) {
    case kVoters:
      return ReadIds(in, state.voters);
    case kLearners:
      return ReadIds(in, state.learners);
    case kOutgoing:
      return ReadIds(in, state.voters_outgoing);
    case kLearnersNext:
      return ReadIds(in, state.learners_next);
    case kAutoLeave:
      state.auto_leave = in.number() != 0;
      return in.is_number();
    default:
      return true;
  }
}

Result<ConfChange::Single> DecodeSingle(std::string_view bytes) {
  ConfChange::Single single;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == kKind) {
      if (!in.is_number() || in.number() > 2) {
        return Malformed("configuration change");
      }
      single.kind = static_cast<ConfChangeKind>(in.number());
    } else if (in.field() == kReplica) {
      single.replica = ReplicaId{in.number()};
    }
  }
  if (!in.ok()) {
    return Malformed("configuration change");
  }
  return single;
}

Status DecodeMetadata(std::string_view bytes, Checkpoint& checkpoint) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == kConfState) {
      checkpoint.conf_state = QUORATE_TRY(ConfState::Decode(in.bytes()));
    } else if (in.field() == kIndex) {
      checkpoint.position.lsn = Lsn{in.number()};
    } else if (in.field() == kTerm) {
      checkpoint.position.term = Term{in.number()};
    }
  }
  return in.ok() ? Ok() : Status(Malformed("checkpoint"));
}

std::string Join(const std::vector<ReplicaId>& ids) {
  std::string out = "(";
  for (const ReplicaId id : ids) {
    out += fmt::format("{}{}", out.size() > 1 ? " " : "", id.value);
  }
  return out + ")";
}

}  // namespace

bool ConfState::IsVoter(ReplicaId id) const {
  return Has(voters, id) || Has(voters_outgoing, id);
}

bool ConfState::Contains(ReplicaId id) const {
  return IsVoter(id) || Has(learners, id) || Has(learners_next, id);
}

std::string ConfState::Encode() const {
  WireWriter out;
  WriteIds(out, kVoters, voters);
  WriteIds(out, kLearners, learners);
  WriteIds(out, kOutgoing, voters_outgoing);
  WriteIds(out, kLearnersNext, learners_next);
  out.Number(kAutoLeave, auto_leave ? 1 : 0);
  return out.Take();
}

Result<ConfState> ConfState::Decode(std::string_view bytes) {
  ConfState state;
  WireReader in(bytes);
  while (in.Next()) {
    if (!ReadConfStateField(in, state)) {
      return Malformed("configuration");
    }
  }
  if (!in.ok()) {
    return Malformed("configuration");
  }
  return state;
}

std::string ConfState::ToString() const {
  std::string out = "voters=" + Join(voters);
  if (joint()) {
    out += " outgoing=" + Join(voters_outgoing);
  }
  out += " learners=" + Join(learners);
  if (!learners_next.empty()) {
    out += " learners_next=" + Join(learners_next);
  }
  return auto_leave ? out + " auto_leave" : out;
}

std::string ConfChange::Encode() const {
  WireWriter out;
  out.Number(kTransition, static_cast<std::uint64_t>(transition));
  for (const Single& change : changes) {
    WireWriter single;
    single.Number(kKind, static_cast<std::uint64_t>(change.kind));
    single.Number(kReplica, change.replica.value);
    out.Message(kChanges, single.Take());
  }
  out.Bytes(kContext, context);
  return out.Take();
}

Result<ConfChange> ConfChange::Decode(std::string_view bytes) {
  ConfChange change;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == kTransition) {
      if (!in.is_number() || in.number() > 2) {
        return Malformed("configuration change");
      }
      change.transition = static_cast<ConfTransition>(in.number());
    } else if (in.field() == kChanges) {
      change.changes.push_back(QUORATE_TRY(DecodeSingle(in.bytes())));
    } else if (in.field() == kContext) {
      change.context = in.bytes();
    }
  }
  if (!in.ok()) {
    return Malformed("configuration change");
  }
  return change;
}

std::string Checkpoint::Encode() const {
  WireWriter metadata;
  metadata.Message(kConfState, conf_state.Encode());
  metadata.Number(kIndex, position.lsn.value);
  metadata.Number(kTerm, position.term.value);
  WireWriter out;
  out.Bytes(kData, manifest);
  out.Message(kMetadata, metadata.Take());
  return out.Take();
}

Result<Checkpoint> Checkpoint::Decode(std::string_view bytes) {
  Checkpoint checkpoint;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == kData) {
      checkpoint.manifest = in.bytes();
    } else if (in.field() == kMetadata) {
      QUORATE_TRY(DecodeMetadata(in.bytes(), checkpoint));
    }
  }
  if (!in.ok()) {
    return Malformed("checkpoint");
  }
  return checkpoint;
}

}  // namespace quorate::consensus
