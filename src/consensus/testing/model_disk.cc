#include "consensus/testing/model_disk.h"

#include <stdexcept>

#include "base/check.h"

namespace quorate::consensus::testing {
namespace {

Error Injected() {
  return Error(Code::kInternal, "injected storage failure");
}

}  // namespace

std::string_view CommandName(std::string_view data) {
  return data.substr(0, data.find(' '));
}

const Entry& ModelDisk::At(Lsn lsn) const {
  QUORATE_CHECK(lsn > truncated.lsn);
  QUORATE_CHECK(lsn <= last());
  return log[lsn.value - truncated.lsn.value - 1];
}

Term ModelDisk::TermAt(Lsn lsn) const {
  return lsn == truncated.lsn ? truncated.term : At(lsn).term;
}

void ModelDisk::Append(const Entry& entry) {
  if (entry.lsn <= truncated.lsn) {
    return;
  }
  while (last() >= entry.lsn) {
    log.pop_back();
  }
  QUORATE_CHECK(last().Next() == entry.lsn);
  log.push_back(entry);
}

void ModelDisk::Install(const Checkpoint& checkpoint) {
  log.clear();
  truncated = checkpoint.position;
  conf_state = checkpoint.conf_state;
  state = checkpoint.manifest;
  applied = truncated.lsn;
}

void ModelDisk::Compact(Lsn lsn) {
  const Term term = TermAt(lsn);
  const auto count = static_cast<std::ptrdiff_t>(lsn.value - truncated.lsn.value);
  log.erase(log.begin(), log.begin() + count);
  truncated = {lsn, term};
}

ModelDisk ModelDisk::Bootstrapped(const std::vector<ReplicaId>& voters) {
  ModelDisk disk;
  disk.truncated = kBootstrapPosition;
  disk.applied = kBootstrapPosition.lsn;
  disk.hard_state = {kBootstrapPosition.term, {0}, kBootstrapPosition.lsn};
  disk.conf_state.voters = voters;
  return disk;
}

Result<InitialState> ModelStorage::ReadInitialState() {
  if (fault == StorageFault::kInitialStateFails) {
    return Injected();
  }
  return InitialState{disk_.hard_state, disk_.conf_state};
}

Status ModelStorage::Entries(Lsn low, Lsn high, std::uint64_t bytes_max, EntrySink& sink) {
  if (fault == StorageFault::kEntriesFail) {
    return Injected();
  }
  if (fault == StorageFault::kEntriesThrow) {
    throw std::runtime_error("thrown by the storage");
  }
  if (fault == StorageFault::kEntriesEmpty) {
    return Ok();
  }
  if (low <= disk_.truncated.lsn) {
    return Error(Code::kNotFound, "compacted");
  }
  if (high > disk_.last().Next()) {
    return Error(Code::kUnavailable, "beyond the log");
  }
  std::uint64_t bytes = 0;
  for (Lsn lsn = low; lsn < high; lsn = lsn.Next()) {
    EntryView entry = disk_.At(lsn).view();
    bytes += entry.data.size() + 12;
    if (lsn > low && bytes > bytes_max) {
      break;
    }
    if (fault == StorageFault::kEntriesWrongLsn) {
      entry.lsn.value += 7;
    }
    if (fault == StorageFault::kEntriesTermZero) {
      entry.term = Term{0};
    }
    sink.Push(entry);
  }
  return Ok();
}

Result<Term> ModelStorage::TermAt(Lsn lsn) {
  if (fault == StorageFault::kTermFails) {
    return Injected();
  }
  if (lsn < disk_.truncated.lsn) {
    return Error(Code::kNotFound, "compacted");
  }
  if (lsn > disk_.last()) {
    return Error(Code::kUnavailable, "beyond the log");
  }
  return disk_.TermAt(lsn);
}

Result<Lsn> ModelStorage::FirstIndex() {
  if (fault == StorageFault::kFirstIndexFails) {
    return Injected();
  }
  return disk_.truncated.lsn.Next();
}

Result<Lsn> ModelStorage::LastIndex() {
  if (fault == StorageFault::kLastIndexFails) {
    return Injected();
  }
  return disk_.last();
}

Result<Checkpoint> ModelStorage::MakeCheckpoint(Lsn at_least, ReplicaId) {
  if (fault == StorageFault::kCheckpointFails) {
    return Injected();
  }
  if (checkpoints_unavailable > 0) {
    --checkpoints_unavailable;
    return Error(Code::kUnavailable, "being made");
  }
  if (disk_.applied < at_least) {
    return Error(Code::kUnavailable, "not applied yet");
  }
  return Checkpoint{{disk_.applied, disk_.TermAt(disk_.applied)}, disk_.conf_state, disk_.state};
}

}  // namespace quorate::consensus::testing
