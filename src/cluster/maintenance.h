// Maintenance: makes applied objects durable now and then, so that the logs can let go of them.
//
// One sync of the whole file system serves all partitions, instead of an fsync per pack.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/thread_annotations.h"
#include "cluster/node_env.h"
#include "cluster/partition.h"
#include "env/strand.h"

namespace quorate::cluster {

struct MaintenanceOptions {
  std::string path;  // On the file system that is synced.
  std::chrono::nanoseconds interval = std::chrono::seconds(5);
  std::size_t bytes =
      64 << 20;  // Of log appended since the last round: then a round begins at once.
};

// Rounds run one at a time on a strand of the storage pool. NoteAppended() is safe from any thread.
class Maintenance {
 public:
  // What the node does besides, after each timed round.
  using Housekeeping = std::function<void()>;
  // The partitions that are open.
  using Partitions = std::function<std::vector<std::shared_ptr<Partition>>()>;

  // `env` outlives it.
  Maintenance(MaintenanceOptions options, const NodeEnv& env, Partitions partitions,
              Housekeeping housekeeping);
  ~Maintenance();

  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // Begins to run rounds.
  void Start();

  void NoteAppended(std::size_t bytes);

  // Runs a round. Blocks; not on a thread of the pools.
  void SyncNow();

  // When nobody appends any more. Blocks; not on a thread of the pools. Once, whether started or
  // not.
  void Stop();

 private:
  void ArmTimer() QUORATE_REQUIRES(*strand_);
  void RunTimed();
  void Run(Callback<> task);
  void Sync() QUORATE_REQUIRES(*strand_);

  const MaintenanceOptions options_;
  const NodeEnv env_;
  const Partitions partitions_;
  const Housekeeping housekeeping_;
  env::Counter& rounds_;
  const std::unique_ptr<env::Strand> strand_;

  std::atomic<std::size_t> appended_bytes_{0};  // Since the last round.
  std::atomic<bool> round_posted_{false};       // By NoteAppended().
  std::unique_ptr<env::Timer> timer_ QUORATE_GUARDED_BY(*strand_);
  bool stopping_ QUORATE_GUARDED_BY(*strand_) = false;
};

}  // namespace quorate::cluster
