// Directory: which repository lives in which partition, and what is being done to it.
//
// The truth is in the meta partition's key space; a copy in memory, loaded when the node opens and
// changed when a transaction commits, answers every question at once. docs/formats/directory.md.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "env/strand.h"
#include "git/object_id.h"
#include "txn/transaction_manager.h"

namespace quorate::cluster {

struct DirectoryRecord {
  // A record that is not kReady says what a crash may have cut off; the next start finishes it.
  enum class State : std::uint8_t { kCreating = 1, kReady = 2, kDeleting = 3 };

  State state = State::kCreating;
  git::ObjectFormat format = git::ObjectFormat::kSha1;
  PartitionId partition{};
  std::string default_branch{};

  std::string Encode() const;
  // kCorruption: not what Encode() makes, or a later format.
  static Result<DirectoryRecord> Decode(std::string_view bytes);

  friend bool operator==(const DirectoryRecord&, const DirectoryRecord&) = default;
};

// What a snapshot of the meta partition says, in the order of names. Blocks. kCorruption.
Result<std::vector<std::pair<std::string, DirectoryRecord>>> ReadDirectory(
    const txn::Snapshot& meta);

// Safe from any thread. Changes of one name are made one after the other by the caller; those of
// different names may be under way together.
class Directory {
 public:
  using ChangeDone = Callback<Status>;

  // Both outlive it, and `done` callbacks run before `meta` has stopped. `strand` may block:
  // changes are staged on it.
  Directory(txn::TransactionManager& meta, env::Strand& strand);

  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // Reads everything. Before any other call, once `meta` has applied its log. Blocks.
  Status Load();

  std::optional<DirectoryRecord> Find(const std::string& name) const;
  // In the order of names.
  std::vector<std::pair<std::string, DirectoryRecord>> List() const;
  std::size_t size() const;
  // Ids below it were handed out once, and are never handed out again.
  PartitionId next_partition() const;

  // Takes `record` in under a partition id of its own, which `done` gets. kAlreadyExists. `done` of
  // all three runs on the meta partition's strand, or on `strand` if nothing could be staged; the
  // errors are those of TransactionManager::Commit().
  void Add(std::string name, DirectoryRecord record, Callback<Result<DirectoryRecord>> done);
  // REQUIRES: the name has a record.
  void SetState(std::string name, DirectoryRecord::State state, ChangeDone done);
  void Remove(std::string name, ChangeDone done);

 private:
  // A block of partition ids taken by the transaction that needs its first.
  struct Reservation {
    std::optional<PartitionId> before;  // What is stored; nothing: no key yet.
    PartitionId after;
  };

  std::optional<Reservation> TakeId(PartitionId& id);
  void Unreserve(const Reservation& reservation);
  Result<txn::Transaction> StageAdd(const std::string& name, const DirectoryRecord& record,
                                    const std::optional<Reservation>& reservation);
  void Change(std::string name, const std::optional<DirectoryRecord>& before,
              std::optional<DirectoryRecord> after, ChangeDone done);
  void Commit(std::string name, Result<txn::Transaction> staged,
              std::optional<DirectoryRecord> after, ChangeDone done);
  Result<txn::Transaction> Stage(const std::string& name,
                                 const std::optional<DirectoryRecord>& before,
                                 const std::optional<DirectoryRecord>& after);
  void Remember(const std::string& name, const std::optional<DirectoryRecord>& after);

  txn::TransactionManager& meta_;
  env::Strand& strand_;

  mutable std::mutex mutex_;  // Guards what follows.
  std::map<std::string, DirectoryRecord> records_;
  PartitionId next_partition_{kMetaPartition.value + 1};
  std::optional<PartitionId> reserved_;  // As stored, or about to be: the first id not reserved.
};

}  // namespace quorate::cluster
