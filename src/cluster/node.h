// Node: one `quorate serve` process seen from inside: its data directory, its partitions, and which
// repository lives where.
//
// The meta partition (1) maps repository names to partitions in its key space; it is a partition like
// the others, with its own log. Repositories' partitions are opened when first asked for.
//
//   create   meta: name -> {partition, creating} · bootstrap the group · partition: RepositoryCreate ·
//            a crash in between is finished by the next Open()
//   delete   meta: name -> deleting · partition destroyed, directory removed · meta: name gone
//
// Safe from any thread. Callbacks run on a core strand and must not block. Blocking work happens on the
// storage pool.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "env/child.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/random.h"
#include "env/strand.h"
#include "git/object_store.h"
#include "txn/transaction_manager.h"

namespace quorate::cluster {

enum class LogMode : std::uint8_t { kRaft, kLocal };

struct NodeOptions {
  std::string data_directory;
  LogMode log_mode = LogMode::kRaft;
  git::ObjectStoreOptions objects;
  std::uint64_t free_bytes_min = 64 << 20;  // Below this much free disk, pushes are refused.
};

// All outlive the node.
struct NodeEnv {
  env::StrandPool& core;
  env::StrandPool& storage;
  env::FileSystem& files;
  env::ChildLauncher& children;
  const env::Clock& clock;
  env::Timers& timers;
  env::Random& random;
  env::Logger& logger;
  env::Metrics& metrics;
};

// An open repository. Held while it is used: its partition is not closed under the holder's feet.
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
  NodeId leader;  // 0 if unknown.
  std::vector<NodeId> voters;
  std::vector<NodeId> learners;
  Lsn applied;
  std::vector<std::string> repositories;
  bool fenced = false;
};

class Node {
 public:
  using FindDone = Callback<Result<std::shared_ptr<Repository>>>;

  // Opens or founds the data directory. Blocks. kAlreadyExists: another process holds its LOCK.
  // kCorruption, kInvalidArgument (an unknown VERSION) ... end the process with that line.
  static Result<std::unique_ptr<Node>> Open(NodeOptions options, NodeEnv env);
  ~Node();

  NodeId id() const;

  // 1 to 200 bytes; components [A-Za-z0-9._-]+ separated by single slashes, none beginning with "." or "-", none ending
  // with ".git" or ".lock". kInvalidArgument says which rule is broken.
  static Status CheckRepositoryName(std::string_view name);

  // kNotFound, kUnavailable (stopping), kCorruption (its replica is fenced).
  void FindRepository(std::string name, FindDone done);
  // The repository is usable when `done` gets it. kAlreadyExists, kInvalidArgument, as above.
  void CreateRepository(CreateRepositoryOptions options, FindDone done);
  // Its name is free and its data gone when `done` runs. kNotFound.
  void DeleteRepository(std::string name, Callback<Status> done);

  // Block.
  Result<std::vector<RepositoryDescription>> ListRepositories() const;
  Result<std::vector<PartitionDescription>> DescribePartitions() const;

  // Not Ok while pushes must be refused: the disk is (almost) full. Cheap.
  Status CheckWritable() const;

  // Lets transactions under way end, closes everything. Blocks. No other call follows.
  void Stop();

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::cluster
