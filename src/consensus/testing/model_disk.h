// A replica's disk as a value, so that a crash is an assignment.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "consensus/conf_state.h"
#include "consensus/entry.h"
#include "consensus/storage.h"

namespace quorate::consensus::testing {

struct ModelDisk {
  HardState hard_state;
  ConfState conf_state;   // As of `applied`.
  Position truncated;     // The entry before log.front().
  std::deque<Entry> log;  // Dense.
  Lsn applied;
  std::string state;  // The state machine: the names of all commands applied, each with a ';'.

  Lsn last() const { return Lsn{truncated.lsn.value + log.size()}; }
  // REQUIRES: truncated.lsn < lsn <= last().
  const Entry& At(Lsn lsn) const;
  // REQUIRES: truncated.lsn <= lsn <= last().
  Term TermAt(Lsn lsn) const;

  // Appends, and drops what the entry replaces. REQUIRES: no gap.
  void Append(const Entry& entry);
  void Install(const Checkpoint& checkpoint);
  // Forgets the log up to `lsn`. REQUIRES: truncated.lsn <= lsn <= last().
  void Compact(Lsn lsn);

  // A member of a new group, at kBootstrapPosition.
  static ModelDisk Bootstrapped(const std::vector<ReplicaId>& voters);
};

// The command's name: the entry's data up to the first space. What follows is ballast.
std::string_view CommandName(std::string_view data);

// Wrong answers that a storage may give.
enum class StorageFault : std::uint8_t {
  kNone,
  kEntriesFail,
  kEntriesEmpty,
  kEntriesWrongLsn,
  kEntriesTermZero,
  kEntriesThrow,
  kTermFails,
  kFirstIndexFails,
  kLastIndexFails,
  kInitialStateFails,
  kCheckpointFails,
};

class ModelStorage final : public Storage {
 public:
  explicit ModelStorage(const ModelDisk& disk) : disk_(disk) {}

  StorageFault fault = StorageFault::kNone;
  int checkpoints_unavailable = 0;  // So many checkpoints are "being made" first.

  Result<InitialState> ReadInitialState() override;
  Status Entries(Lsn low, Lsn high, std::uint64_t bytes_max, EntrySink& sink) override;
  Result<Term> TermAt(Lsn lsn) override;
  Result<Lsn> FirstIndex() override;
  Result<Lsn> LastIndex() override;
  Result<Checkpoint> MakeCheckpoint(Lsn at_least, ReplicaId to) override;

 private:
  const ModelDisk& disk_;
};

}  // namespace quorate::consensus::testing
