// What a node is made of besides its own state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "env/child.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/random.h"
#include "env/strand.h"
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

// What all partitions of a node share. Each holds it, so that it goes with the last of them.
struct NodeStores {
  std::unique_ptr<kv::Store> store;
  std::unique_ptr<log::LogStore> logs;
};

}  // namespace quorate::cluster
