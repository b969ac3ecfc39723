// What a node is made of besides its own state.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "env/child.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/random.h"
#include "env/strand.h"
#include "kv/group_writer.h"
#include "kv/store.h"
#include "log/log_store.h"

namespace quorate::cluster {

// Who orders a partition's transactions.
enum class LogMode : std::uint8_t {
  kRaft,   // raft::Replica
  kLocal,  // log::LocalLog: without Raft, for comparison
};

// All outlive the node, and every Repository it gave away.
struct NodeEnv {
  env::StrandPool& core;     // Never blocks.
  env::StrandPool& storage;  // May block on the disk. Two threads or more.
  env::FileSystem& files;
  env::ChildLauncher& children;
  const env::Clock& clock;
  env::Timers& timers;
  env::Random& random;
  env::Logger& logger;
  env::Metrics& metrics;
};

// How many partitions exist, open or about to be destroyed. Safe from any thread.
class Census {
 public:
  // Counts as one as long as it lives.
  class Presence {
   public:
    explicit Presence(std::shared_ptr<Census> census) : census_(std::move(census)) {
      census_->Add(1);
    }
    ~Presence() { census_->Add(-1); }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

   private:
    const std::shared_ptr<Census> census_;
  };

  // False if some are still there after `patience`. Blocks.
  bool WaitUntilNone(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [this] { return present_ == 0; });
  }

 private:
  void Add(int change) {
    const std::lock_guard lock(mutex_);
    present_ += change;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int present_ = 0;
};

// What all partitions of a node share. Each holds it, so that it goes with the last of them.
struct NodeStores {
  std::unique_ptr<kv::Store> store;
  std::unique_ptr<kv::GroupWriter> states;  // What partitions apply.
  std::unique_ptr<log::LogStore> logs;
  std::shared_ptr<Census> census = std::make_shared<Census>();
};

}  // namespace quorate::cluster
