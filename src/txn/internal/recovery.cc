#include "txn/internal/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "txn/internal/entry_codec.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/window_keys.h"

namespace quorate::txn::internal {
namespace {

constexpr std::size_t kReadBytesMax = 8 << 20;

// Walks the log above the synced position: installs the packs of what was applied, and collects the
// digests of all packs that lie beside the log.
class Redo {
 public:
  Redo(const TransactionManagerDeps& deps, Lsn applied) : deps_(deps), applied_(applied) {}

  Status Run(Lsn first, Lsn last) {
    while (first <= last) {
      std::vector<consensus::Entry> entries =
          QUORATE_TRY(deps_.log_store->Read(deps_.partition, first, last.Next(), kReadBytesMax));
      QUORATE_CHECK(!entries.empty());
      for (const consensus::Entry& entry : entries) {
        QUORATE_TRY(RedoEntry(entry));
      }
      first = entries.back().lsn.Next();
    }
    return Ok();
  }

  const std::vector<Sha256Digest>& beside_the_log() const { return beside_the_log_; }
  std::uint64_t installed() const { return installed_; }

 private:
  Status RedoEntry(const consensus::Entry& entry) {
    if (entry.type != consensus::EntryType::kNormal || entry.data.empty()) {
      return Ok();
    }
    const LogRecord record = QUORATE_TRY(DecodeRecord(entry.data));
    for (const Change& change : record.changes) {
      const auto* add = std::get_if<PackAdd>(&change);
      if (add == nullptr) {
        continue;
      }
      if (add->pack.inline_bytes.empty()) {
        beside_the_log_.push_back(add->pack.digest);
      }
      if (entry.lsn <= applied_) {
        QUORATE_TRY(deps_.packs->Install(add->pack, nullptr));
        ++installed_;
      }
    }
    return Ok();
  }

  const TransactionManagerDeps& deps_;
  const Lsn applied_;
  std::vector<Sha256Digest> beside_the_log_;
  std::uint64_t installed_ = 0;
};

}  // namespace

std::unique_ptr<ConflictWindow> ReadWindow(const log::LogStore& logs, PartitionId partition,
                                           Lsn applied, const WindowBounds& bounds) {
  const auto none = [applied] { return std::make_unique<ConflictWindow>(applied); };
  const Result<log::StoredLog> stored = logs.Load(partition);
  if (!stored || stored->last < applied) {
    return none();
  }
  const Lsn tail{applied.value - std::min(applied.value, bounds.tail_entries)};
  const Lsn floor = std::max({tail, stored->truncated.lsn, kBootstrapPosition.lsn});
  if (floor >= applied) {
    return none();
  }
  auto window = std::make_unique<ConflictWindow>(floor);
  for (Lsn next = floor.Next(); next <= applied;) {
    const auto entries = logs.Read(partition, next, applied.Next(), kReadBytesMax);
    if (!entries || entries->empty()) {
      return none();
    }
    for (const consensus::Entry& entry : *entries) {
      if (entry.type != consensus::EntryType::kNormal || entry.data.empty()) {
        continue;
      }
      const Result<LogRecord> record = DecodeRecord(entry.data);
      if (!record) {
        return none();
      }
      window->Add(InfoOf(*record, entry.lsn, entry.data.size()), WindowWrites(*record));
    }
    next = entries->back().lsn.Next();
  }
  window->Trim(bounds, applied, applied, std::chrono::microseconds::min());
  return window;
}

Result<Recovered> Recover(const TransactionManagerDeps& deps, const WindowBounds& bounds) {
  Recovered found;
  found.applied = QUORATE_TRY(ReadApplied(deps.partition, deps.store));
  found.objects_durable = QUORATE_TRY(ReadObjectsDurable(deps.partition, deps.store));
  found.window = deps.log_store != nullptr
                     ? ReadWindow(*deps.log_store, deps.partition, found.applied.lsn, bounds)
                     : std::make_unique<ConflictWindow>(found.applied.lsn);
  if (deps.packs == nullptr) {
    return found;
  }
  QUORATE_CHECK(deps.log_store != nullptr);
  const log::StoredLog stored = QUORATE_TRY(deps.log_store->Load(deps.partition));
  if (stored.truncated.lsn > found.objects_durable && found.applied.lsn > found.objects_durable) {
    return Error(Code::kCorruption,
                 fmt::format("objects are durable up to {} only, but the log begins behind {}",
                             found.objects_durable.value, stored.truncated.lsn.value));
  }
  if (stored.last < found.applied.lsn) {
    return Error(Code::kCorruption, fmt::format("{} is applied, but the log ends at {}",
                                                found.applied.lsn.value, stored.last.value));
  }
  Redo redo(deps, found.applied.lsn);
  Status redone = redo.Run(found.objects_durable.Next(), stored.last);
  if (!redone) {
    return std::move(redone).error().Wrap("redo the objects of applied entries");
  }
  if (deps.drop_staged_except) {
    QUORATE_TRY(deps.drop_staged_except(redo.beside_the_log()));
  }
  deps.logger.Info("partition recovered", {{"partition", deps.partition.value},
                                           {"applied", found.applied.lsn.value},
                                           {"objects_durable", found.objects_durable.value},
                                           {"packs_redone", redo.installed()}});
  return found;
}

}  // namespace quorate::txn::internal
