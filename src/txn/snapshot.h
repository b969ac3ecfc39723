// Snapshot: what a transaction, or a read, sees of a partition: everything up to one LSN, nothing
// after it. Taking one is O(1) and copies nothing.
//
// Immutable and safe from any thread; calls may block on the disk. Cheap to copy. Holding one for
// long holds back nothing but disk space.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "git/object_id.h"
#include "git/repository_config.h"
#include "kv/store.h"

namespace quorate::txn {

// What a reference points at: an object, or (symbolic) another reference.
struct RefValue {
  git::ObjectId id;                     // Meaningless if symref is not empty.
  std::optional<git::ObjectId> peeled;  // Of an annotated tag.
  std::string symref;

  friend bool operator==(const RefValue&, const RefValue&) = default;
};

struct Ref {
  std::string name;
  RefValue value;
};

struct RepositoryInfo {
  RepositoryId id;
  git::ObjectFormat format = git::ObjectFormat::kSha1;
  Lsn created;
  RefValue head;  // Symbolic, perhaps to a branch that does not exist (unborn), or detached.
  // The LSN of the last change of any reference, HEAD or configuration; key of rendered answers.
  Lsn ref_version;
};

// One line of a repository's history: who moved what, when.
struct RefEvent {
  Lsn lsn;
  std::string transaction_id;  // 16 raw bytes.
  std::string actor;
  std::int64_t time_unix_micros = 0;
  std::string name;
  std::optional<RefValue> before;
  std::optional<RefValue> after;
  std::vector<std::string> push_options;
};

namespace internal {
class AppliedMark;
}

// What is remembered of a transaction that was committed.
struct CommittedTransaction {
  Lsn lsn;
  std::int64_t time_unix_micros = 0;  // When it was appended; 0 if the record does not say.
  std::string actor;

  friend bool operator==(const CommittedTransaction&, const CommittedTransaction&) = default;
};

class Snapshot {
 public:
  // A view of everything that is applied in `store` now. kCorruption, kInternal.
  static Result<Snapshot> Take(PartitionId partition, const kv::Store& store);
  // The same with fewer reads: those whose answers `mark` has. It is of this partition and store.
  static Result<Snapshot> Take(PartitionId partition, const kv::Store& store,
                               const internal::AppliedMark& mark);

  PartitionId partition() const { return partition_; }
  // The newest entry it contains.
  Lsn lsn() const { return applied_.lsn; }
  Position position() const { return applied_; }
  const kv::Snapshot& view() const { return *view_; }

  // All: kCorruption when a stored record cannot be read.
  Result<std::optional<RepositoryInfo>> FindRepository(RepositoryId repository) const;
  Result<std::optional<RefValue>> FindRef(RepositoryId repository, std::string_view name) const;
  // Calls `visit` for each reference whose name begins with `prefix`, in byte order, until it
  // returns false. HEAD is not among them.
  Status ForEachRef(RepositoryId repository, std::string_view prefix,
                    const std::function<bool(const Ref&)>& visit) const;
  // All values of a canonical name, in order; none if it is not set.
  Result<std::vector<std::string>> FindConfig(RepositoryId repository, std::string_view name) const;
  Status ForEachConfig(RepositoryId repository, std::string_view prefix,
                       const std::function<bool(const git::ConfigEntry&)>& visit) const;
  Result<std::optional<std::string>> FindKey(std::string_view key) const;
  Status ForEachKey(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const;
  // The newest `count_max` events, newest first; only those of `name` unless it is empty.
  Result<std::vector<RefEvent>> History(RepositoryId repository, std::string_view name,
                                        std::size_t count_max) const;
  // What the entry at `lsn` did to references and HEAD, by name, as far as the history goes back.
  Result<std::vector<RefEvent>> EventsOf(RepositoryId repository, Lsn lsn) const;
  // What a reference, or HEAD, was right after the entry at `lsn`, by the history; nothing if it
  // did not exist. Walks the events before `lsn`.
  Result<std::optional<RefValue>> FindRefAt(RepositoryId repository, std::string_view name,
                                            Lsn lsn) const;
  // What became of the transaction with these 16 raw bytes of id; nothing if it was not committed,
  // or below TransactionsKnownFrom().
  Result<std::optional<CommittedTransaction>> FindTransaction(std::string_view id) const;
  // The ids of all transactions at this LSN and above are remembered. It follows from lsn() alone,
  // so it is the same on every replica.
  Lsn TransactionsKnownFrom() const;
  // Up to where the objects of entries survive a power cut.
  Result<Lsn> ObjectsDurable() const;
  // How many ids are remembered; reads them all.
  Result<std::uint64_t> CountTransactions() const;

 private:
  Snapshot(PartitionId partition, std::shared_ptr<const kv::Snapshot> view, Position applied,
           std::shared_ptr<const RepositoryInfo> repository)
      : partition_(partition),
        view_(std::move(view)),
        applied_(applied),
        repository_(std::move(repository)) {}

  Status WalkHistory(RepositoryId repository, Lsn newest,
                     const std::function<bool(RefEvent)>& visit) const;

  PartitionId partition_;
  std::shared_ptr<const kv::Snapshot> view_;
  Position applied_;
  std::shared_ptr<const RepositoryInfo> repository_;  // One that the view has; or null.
};

// So many entries back, a transaction's id is remembered at least.
inline constexpr std::uint64_t kTransactionIdsKept = 16384;

// Adds the removal of everything that this module stores of a partition.
void EraseState(PartitionId partition, kv::WriteBatch& batch);

}  // namespace quorate::txn
