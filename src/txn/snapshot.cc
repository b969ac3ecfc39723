#include "txn/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "txn/internal/applied_mark.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn {
namespace {

using kv::Family;

// Calls `visit` for each pair whose key begins with `prefix`, until it returns false.
Status Walk(const kv::Reader& view, const std::string& prefix,
            const std::function<Result<bool>(std::string_view, std::string_view)>& visit) {
  const std::string end = internal::PrefixEnd(prefix);
  const auto it = view.NewIterator(Family::kState, prefix, end);
  for (; it->Valid(); it->Next()) {
    const bool more = QUORATE_TRY(visit(it->key(), it->value()));
    if (!more) {
      return Ok();
    }
  }
  return it->status();
}

}  // namespace

Result<Snapshot> Snapshot::Take(PartitionId partition, const kv::Store& store) {
  std::shared_ptr<const kv::Snapshot> view = store.TakeSnapshot();
  const Position applied = QUORATE_TRY(internal::ReadApplied(partition, *view));
  return Snapshot(partition, std::move(view), applied, nullptr);
}

Result<Snapshot> Snapshot::Take(PartitionId partition, const kv::Store& store,
                                const internal::AppliedMark& mark) {
  std::optional<internal::AppliedMark::Known> known = mark.Read();
  if (!known) {
    return Take(partition, store);
  }
  std::shared_ptr<const kv::Snapshot> view = store.TakeSnapshot();
  if (!mark.Holds(*known)) {  // The view may or may not have what is being written.
    return Take(partition, store);
  }
  return Snapshot(partition, std::move(view), known->applied, std::move(known->repository));
}

Result<std::optional<RepositoryInfo>> Snapshot::FindRepository(RepositoryId repository) const {
  if (repository_ != nullptr && repository_->id == repository) {
    return std::optional(*repository_);
  }
  const auto bytes =
      QUORATE_TRY(view_->Get(Family::kState, internal::RepositoryKey(partition_, repository)));
  if (!bytes) {
    return std::optional<RepositoryInfo>();
  }
  RepositoryInfo info = QUORATE_TRY(internal::DecodeRepository(repository, *bytes));
  return std::optional(std::move(info));
}

Result<std::optional<RefValue>> Snapshot::FindRef(RepositoryId repository,
                                                  std::string_view name) const {
  const auto bytes =
      QUORATE_TRY(view_->Get(Family::kState, internal::RefKey(partition_, repository, name)));
  if (!bytes) {
    return std::optional<RefValue>();
  }
  RefValue value = QUORATE_TRY(internal::DecodeRefValue(*bytes));
  return std::optional(std::move(value));
}

Status Snapshot::ForEachRef(RepositoryId repository, std::string_view prefix,
                            const std::function<bool(const Ref&)>& visit) const {
  return Walk(*view_, internal::RefKey(partition_, repository, prefix),
              [&](std::string_view key, std::string_view value) -> Result<bool> {
                Ref ref{.name = std::string(internal::RefNameOfKey(key)), .value = {}};
                ref.value = QUORATE_TRY(internal::DecodeRefValue(value));
                return visit(ref);
              });
}

Result<std::vector<std::string>> Snapshot::FindConfig(RepositoryId repository,
                                                      std::string_view name) const {
  const auto bytes =
      QUORATE_TRY(view_->Get(Family::kState, internal::ConfigKey(partition_, repository, name)));
  if (!bytes) {
    return std::vector<std::string>();
  }
  return internal::DecodeConfig(*bytes);
}

Status Snapshot::ForEachConfig(RepositoryId repository, std::string_view prefix,
                               const std::function<bool(const git::ConfigEntry&)>& visit) const {
  return Walk(*view_, internal::ConfigKey(partition_, repository, prefix),
              [&](std::string_view key, std::string_view bytes) -> Result<bool> {
                git::ConfigEntry entry{.name = std::string(internal::NameOfConfigKey(key)),
                                       .values = {}};
                entry.values = QUORATE_TRY(internal::DecodeConfig(bytes));
                return visit(entry);
              });
}

Result<std::optional<std::string>> Snapshot::FindKey(std::string_view key) const {
  const auto bytes = QUORATE_TRY(view_->Get(Family::kState, internal::UserKey(partition_, key)));
  if (!bytes) {
    return std::optional<std::string>();
  }
  std::string value = QUORATE_TRY(internal::DecodeKeyValue(*bytes));
  return std::optional(std::move(value));
}

Status Snapshot::ForEachKey(
    std::string_view prefix,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  return Walk(*view_, internal::UserKey(partition_, prefix),
              [&](std::string_view key, std::string_view bytes) -> Result<bool> {
                const std::string value = QUORATE_TRY(internal::DecodeKeyValue(bytes));
                return visit(internal::NameOfUserKey(key), value);
              });
}

// Calls `visit` for the events of entries up to `newest`, newest first, until it returns false.
Status Snapshot::WalkHistory(RepositoryId repository, Lsn newest,
                             const std::function<bool(RefEvent)>& visit) const {
  const std::string prefix = internal::HistoryPrefix(partition_, repository);
  const auto it =
      view_->NewIterator(Family::kState, internal::HistoryOf(partition_, repository, newest),
                         internal::PrefixEnd(prefix));
  for (; it->Valid(); it->Next()) {
    const std::optional<Lsn> lsn = internal::LsnOfHistoryKey(it->key());
    if (!lsn) {
      return Error(Code::kCorruption, "a key of the history is not readable");
    }
    RefEvent event = QUORATE_TRY(internal::DecodeEvent(*lsn, it->value()));
    if (!visit(std::move(event))) {
      return Ok();
    }
  }
  return it->status();
}

Result<std::vector<RefEvent>> Snapshot::History(RepositoryId repository, std::string_view name,
                                                std::size_t count_max) const {
  std::vector<RefEvent> events;
  if (count_max == 0) {
    return events;
  }
  QUORATE_TRY(WalkHistory(repository, applied_.lsn, [&](RefEvent event) {
    if (name.empty() || event.name == name) {
      events.push_back(std::move(event));
    }
    return events.size() < count_max;
  }));
  return events;
}

Result<std::vector<RefEvent>> Snapshot::EventsOf(RepositoryId repository, Lsn lsn) const {
  std::vector<RefEvent> events;
  QUORATE_TRY(WalkHistory(repository, lsn, [&](RefEvent event) {
    if (event.lsn != lsn) {
      return false;
    }
    events.push_back(std::move(event));
    return true;
  }));
  return events;
}

Result<std::optional<RefValue>> Snapshot::FindRefAt(RepositoryId repository, std::string_view name,
                                                    Lsn lsn) const {
  std::optional<RefValue> value;
  QUORATE_TRY(WalkHistory(repository, lsn, [&](RefEvent event) {
    if (event.name != name) {
      return true;
    }
    value = std::move(event.after);
    return false;
  }));
  return value;
}

Result<std::optional<CommittedTransaction>> Snapshot::FindTransaction(std::string_view id) const {
  const std::uint64_t oldest = internal::OldestGeneration(applied_.lsn);
  for (std::uint64_t generation = internal::GenerationOf(applied_.lsn);; --generation) {
    const auto bytes = QUORATE_TRY(
        view_->Get(Family::kState, internal::TransactionKey(partition_, generation, id)));
    if (bytes) {
      CommittedTransaction transaction = QUORATE_TRY(internal::DecodeTransaction(*bytes));
      return std::optional(std::move(transaction));
    }
    if (generation == oldest) {
      return std::optional<CommittedTransaction>();
    }
  }
}

Lsn Snapshot::TransactionsKnownFrom() const {
  const Lsn first{internal::OldestGeneration(applied_.lsn) * internal::kGenerationEntries};
  return std::max(first, kBootstrapPosition.lsn.Next());
}

Result<Lsn> Snapshot::ObjectsDurable() const {
  return internal::ReadObjectsDurable(partition_, *view_);
}

Result<std::uint64_t> Snapshot::CountTransactions() const {
  std::uint64_t count = 0;
  QUORATE_TRY(Walk(*view_, internal::TransactionsPrefix(partition_),
                   [&](std::string_view, std::string_view) -> Result<bool> {
                     ++count;
                     return true;
                   }));
  return count;
}

void EraseState(PartitionId partition, kv::WriteBatch& batch) {
  std::string first = internal::PartitionPrefix(partition);
  std::string last = internal::PrefixEnd(first);
  batch.DeleteRange(Family::kState, std::move(first), std::move(last));
}

}  // namespace quorate::txn
