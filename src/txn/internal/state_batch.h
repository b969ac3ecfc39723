// StateBatch: changes of the state of one partition, entry by entry, and the state as it will be
// once they are written.
//
// An entry is staged as a whole or not at all: EndEntry() keeps it, DropEntry() takes it back. Of a
// key that many entries change only the last value is written, and keys are written in their order:
// the store inserts neighbours in a fraction of the time that scattered keys take.
#pragma once

#include <absl/container/btree_map.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"
#include "txn/snapshot.h"

namespace quorate::txn::internal {

class StateBatch {
 public:
  // `store` outlives it; what was Take()n must be written before the next use.
  StateBatch(PartitionId partition, const kv::Reader& store)
      : partition_(partition), store_(store) {}

  PartitionId partition() const { return partition_; }

  Result<std::optional<std::string>> Get(const std::string& key) const;
  Result<std::optional<RepositoryInfo>> GetRepository(RepositoryId id) const;

  // Nothing deletes.
  void Set(std::string key, std::optional<std::string> value);
  // The record of a repository; its references and the like are for DeletePrefix().
  void SetRepository(RepositoryId id, std::optional<RepositoryInfo> info);
  // Until the entry ends Get() knows of it; then what was staged must be written before anything
  // with the prefix is read again; see must_flush().
  void DeletePrefix(const std::string& prefix);

  void EndEntry(Position position);
  void DropEntry();

  bool must_flush() const { return must_flush_; }
  // Of what was ended, about: a key counts as often as it was set.
  std::size_t bytes() const { return bytes_; }
  // The last ended entry.
  std::optional<Position> position() const { return position_; }

  // Everything that was ended, with the applied position. Empties the batch.
  kv::WriteBatch Take();
  // One that was changed last by what was Take()n, as it is now. Null: none, or it is gone.
  std::shared_ptr<const RepositoryInfo> repository() const { return repository_; }

 private:
  using Changes = absl::btree_map<std::string, std::optional<std::string>>;
  using Repositories = absl::btree_map<RepositoryId, std::optional<RepositoryInfo>>;

  static void MoveTo(kv::WriteBatch& batch, Changes& changes);

  const PartitionId partition_;
  const kv::Reader& store_;
  // Of the entries that were ended: what comes before a deleted range and the range, then the rest.
  kv::WriteBatch first_;
  Changes ended_;
  Repositories ended_repositories_;  // Written once, however many entries change them.
  std::size_t bytes_ = 0;
  Changes entry_;  // Of the one being staged.
  Repositories entry_repositories_;
  std::vector<std::string> entry_deleted_;  // Prefixes; what entry_ has is newer.
  std::optional<Position> position_;
  bool must_flush_ = false;
  std::shared_ptr<const RepositoryInfo> repository_;  // The store has it like this.
};

}  // namespace quorate::txn::internal
