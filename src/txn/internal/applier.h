// Applier: writes committed entries into the store, in their order, many in one unsynced batch, and
// makes their objects readable before the batch that refers to them.
//
// On the storage strand; blocks. One call at a time, which ends when it has answered. After a crash
// the store has a prefix of what was written, and the log delivers the rest again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "git/pack_installer.h"
#include "kv/group_writer.h"
#include "kv/store.h"
#include "log/log_manager.h"
#include "txn/internal/applied_mark.h"
#include "txn/internal/log_record.h"
#include "txn/internal/state_batch.h"
#include "txn/internal/unsafe_options.h"

namespace quorate::txn::internal {

using LocalPacks = std::vector<std::unique_ptr<git::QuarantinedPack>>;

// A committed entry on its way to the store.
struct ApplyItem {
  consensus::Entry entry;
  std::optional<LogRecord> record;  // Of the entry, if it was decoded already.
  LocalPacks locals;                // This node's copies of its packs, in order; or empty.
  std::chrono::nanoseconds committed_at{0};
};

class Applier {
 public:
  using ApplyDone = Callback<Status, std::vector<ApplyItem>>;

  // `applied` is what the store holds; `states` writes into it, and `mark` is told. `packs` may be
  // null: then an entry with a pack is corruption.
  Applier(PartitionId partition, kv::Store& store, kv::GroupWriter& states,
          git::PackInstaller* packs, std::shared_ptr<AppliedMark> mark, Position applied,
          const UnsafeOptions& testing = {})
      : partition_(partition),
        store_(store),
        states_(states),
        packs_(packs),
        mark_(std::move(mark)),
        testing_(testing),
        state_(partition, store),
        applied_(applied) {}

  Applier(const Applier&) = delete;
  Applier& operator=(const Applier&) = delete;

  // Applies all of them, or those before the first that fails; applied() says how far it came.
  // `done` gets them back, on whichever thread wrote the last batch; the applier is still there.
  //   kCorruption          an entry does not fit the state, or a pack is damaged or missing;
  //   kResourceExhausted   the disk is full for a pack; the same items may be tried again;
  //   others               the store or the file system failed: no second attempt.
  void Apply(std::vector<ApplyItem> items, ApplyDone done);

  Position applied() const { return applied_; }

 private:
  Status Stage(std::vector<ApplyItem>& items);
  Status StageEntry(ApplyItem& item);
  Status InstallPacks(ApplyItem& item);
  Status InstallLate(std::vector<ApplyItem>& items);
  Status Flush();
  Status Written(Position position, const Status& written);

  const PartitionId partition_;
  kv::Store& store_;
  kv::GroupWriter& states_;
  git::PackInstaller* const packs_;
  const std::shared_ptr<AppliedMark> mark_;
  const UnsafeOptions testing_;
  StateBatch state_;
  Position applied_;
};

}  // namespace quorate::txn::internal
