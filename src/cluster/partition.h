// Partition: one open partition of this node: its two strands, its log, its transactions, its
// objects.
//
//   core strand      TransactionManager's sequencing, raft::Replica or log::LocalLog
//   storage strand   apply
//
// Shared by those who use it. Stop() once, by the node; whoever still holds it then gets errors
// from it, never a crash. The last holder may let go on any thread but its strands': the parts are
// destroyed on the storage pool.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "cluster/node_env.h"
#include "cluster/watched_log.h"
#include "git/object_store.h"
#include "raft/transport.h"
#include "txn/transaction_manager.h"

namespace quorate::cluster {

struct PartitionOptions {
  PartitionId id;
  LogMode log_mode = LogMode::kRaft;
  std::string root{};  // Where its objects are; empty for a partition without (meta).
  git::ObjectFormat format = git::ObjectFormat::kSha1;
  git::ObjectStoreOptions objects{};
  txn::TransactionManagerOptions transactions{};
  std::function<void(std::size_t)> on_appended{};  // Bytes of every entry; on the core strand.
  // Once requested, nobody is made to wait any more: who waits for it to open, to lead or to apply,
  // or comes to, is answered with kUnavailable, and no transaction begins. Stop() is still due.
  std::stop_token give_up{};
};

class Partition final : private LogWatcher {
 public:
  using OpenDone = Callback<Result<std::shared_ptr<Partition>>>;

  // Makes the stored records of a new group with this node as its only voter. Blocks; synced.
  // Ok if they are there already.
  static Status Found(PartitionId id, log::LogStore& logs, env::Random& random);

  // Opens what Found() or an earlier run left. Blocks for what it reads; called on the storage pool
  // or the main thread. `done` runs once the partition can take transactions and everything in its
  // log is applied, on the storage pool (or at once, when nothing could be opened). kCorruption:
  // its replica is fenced, kNotFound: there is no such partition.
  static void Open(PartitionOptions options, const NodeEnv& env,
                   std::shared_ptr<const NodeStores> stores, OpenDone done);

  ~Partition() override;

  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  PartitionId id() const { return options_.id; }
  git::ObjectFormat format() const { return options_.format; }
  ReplicaId replica() const { return replica_; }

  // Any thread.
  txn::TransactionManager& transactions() { return *transactions_; }
  const txn::TransactionManager& transactions() const { return *transactions_; }
  git::ObjectStore& objects() { return *objects_; }  // REQUIRES: it has a root.
  WatchedLog::Members members() const { return log_->members(); }

  // Any thread. What operators see of it.
  void UpdateMetrics();

  // Any thread, once. Lets transactions under way end; `done` runs on the storage pool when nothing
  // of the partition runs any more.
  void Stop(Callback<> done);

 private:
  Partition(PartitionOptions options, const NodeEnv& env, std::shared_ptr<const NodeStores> stores);

  Status OpenParts();
  std::unique_ptr<log::LogManager> MakeLog();
  void Opened(Status status);
  std::function<Status(const std::vector<Sha256Digest>&)> DropStagedExcept();

  void OnAppended(std::size_t bytes) override;
  void OnReady(Term term, Lsn no_op) override;
  void OnFollowing(Term term, ReplicaId leader) override;
  void OnFenced(const Error& reason) override;

  const PartitionOptions options_;
  const NodeEnv env_;
  const Census::Presence presence_;  // Goes after the stores: then they may be opened again.
  const std::shared_ptr<const NodeStores> stores_;
  ReplicaId replica_;

  const std::unique_ptr<env::Strand> strand_;
  const std::unique_ptr<env::Strand> storage_;
  std::unique_ptr<raft::Transport> transport_;  // Null with LogMode::kLocal.
  std::unique_ptr<git::ObjectStore> objects_;
  std::unique_ptr<WatchedLog> log_;
  std::unique_ptr<txn::TransactionManager> transactions_;
  std::optional<std::stop_callback<std::function<void()>>> give_up_;

  // The caller of Open() waits; the partition keeps itself alive for him.
  struct Opening {
    OpenDone done;
    std::shared_ptr<Partition> self;
  };

  std::mutex mutex_;  // Guards what follows.
  std::optional<Opening> opening_;
  env::Gauge* applied_gauge_ = nullptr;  // Null once stopped.
};

}  // namespace quorate::cluster
