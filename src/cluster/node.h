// Node: one `quorate serve` process seen from inside: its data directory, its partitions, and which
// repository lives where.
//
// The meta partition (1) maps repository names to partitions in its key space; it is a partition
// like the others, with its own log. Repositories' partitions are opened when first asked for.
//
//   create   meta: name -> {partition, creating} · bootstrap the group · partition:
//   RepositoryCreate ·
//            a crash in between is finished by the next Open()
//   delete   meta: name -> deleting · partition destroyed, directory removed · meta: name gone
//
// Safe from any thread. Callbacks run on the core pool, on no particular strand, and must not
// block. Blocking work happens on the storage pool.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "cluster/node_env.h"
#include "git/object_store.h"
#include "txn/transaction_manager.h"

namespace quorate::cluster {

struct NodeOptions {
  std::string data_directory;
  LogMode log_mode = LogMode::kRaft;
  bool accept_damaged_wal = false;  // kv::RocksDbOptions
  git::ObjectStoreOptions objects{};
  txn::TransactionManagerOptions transactions{};
  std::uint64_t free_bytes_min = 64 << 20;  // Below this much free disk, pushes are refused.

  // Partitions open at once. Beyond, the one that was unused for longest is closed; if all are in
  // use, FindRepository() of a closed one is refused with kResourceExhausted.
  std::size_t open_partitions_max = 4096;
  std::chrono::nanoseconds idle_close_after = std::chrono::minutes(5);

  // Objects applied are made durable, so that logs can be truncated, after that time or that many
  // bytes of log.
  std::chrono::nanoseconds sync_interval = std::chrono::seconds(5);
  std::size_t sync_bytes = 64 << 20;
};

// An open repository. Held while it is used: its partition is not closed under the holder's feet,
// but when the repository is deleted or the node stops; then its calls fail with errors. Let go of
// before the pools and the other things of NodeEnv end.
class Repository {
 public:
  virtual ~Repository() = default;
  virtual const std::string& name() const = 0;
  virtual PartitionId partition() const = 0;
  virtual RepositoryId id() const = 0;
  virtual git::ObjectFormat format() const = 0;
  virtual txn::TransactionManager& transactions() = 0;
  virtual git::ObjectStore& objects() = 0;
};

struct CreateRepositoryOptions {
  std::string name;  // "group/project", without ".git".
  git::ObjectFormat format = git::ObjectFormat::kSha1;
  std::string default_branch = "refs/heads/main";
};

struct RepositoryDescription {
  std::string name;
  PartitionId partition;
  git::ObjectFormat format;
};

struct PartitionDescription {
  PartitionId id;
  NodeId leader{};  // 0 if unknown.
  std::vector<NodeId> voters{};
  std::vector<NodeId> learners{};
  Lsn applied{};
  std::vector<std::string> repositories{};
  bool fenced = false;
};

class Node {
 public:
  using FindDone = Callback<Result<std::shared_ptr<Repository>>>;

  // Opens or founds the data directory. Blocks; not on a thread of the pools. kAlreadyExists:
  // another process holds its LOCK. kCorruption, kInvalidArgument (an unknown VERSION) ... end the
  // process with that line.
  static Result<std::unique_ptr<Node>> Open(NodeOptions options, NodeEnv env);
  ~Node();

  NodeId id() const;

  // The rules are in cluster/repository_name.h. kInvalidArgument says which one is broken.
  static Status CheckRepositoryName(std::string_view name);

  // kNotFound, kUnavailable (stopping), kCorruption (its replica is fenced), kResourceExhausted
  // (too many are open, or too many wait for this one).
  void FindRepository(std::string name, FindDone done);
  // The repository if it is open and serves, at once; else null, and FindRepository() knows more.
  std::shared_ptr<Repository> FindOpenRepository(const std::string& name);
  // The repository is usable when `done` gets it. kAlreadyExists (also while the old one is still
  // being deleted), kInvalidArgument, kResourceExhausted (disk almost full), as above.
  void CreateRepository(CreateRepositoryOptions options, FindDone done);
  // Its name is free and its data gone when `done` runs. kNotFound. After another error it may be
  // half gone: then nobody finds it any more, and deleting it again, or a restart, finishes that.
  void DeleteRepository(std::string name, Callback<Status> done);

  // In the order of names. What is being created or deleted is not among them.
  Result<std::vector<RepositoryDescription>> ListRepositories() const;
  // In the order of ids, the meta partition first. Blocks.
  Result<std::vector<PartitionDescription>> DescribePartitions() const;

  // A directory for rendered views; emptied when the node opens.
  std::string views_directory() const;

  // Not Ok while pushes must be refused: the disk is (almost) full. Cheap.
  Status CheckWritable() const;

  // Before Stop(), and not instead: whoever waits for a repository to open, or to have applied what
  // is committed, is answered with kUnavailable, and no transaction begins any more. A full disk,
  // or a group without a majority, would let them wait for ever. Any thread.
  void GiveUp();

  // Lets transactions under way end, closes everything; every callback has been called or posted
  // when it returns. Waits a second for users of repositories to let go of them; the store stays
  // open as long as one does not. Blocks; not on a thread of the pools. Once, before the
  // destructor; what is called later is refused with kUnavailable.
  void Stop();

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::cluster
