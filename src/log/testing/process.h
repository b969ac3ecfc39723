// Process: what a node's process has below a replica: a disk that stays, and, from one Boot() to
// the next crash, the strands and the LogStore that live upon it. In one thread, by hand.
//
// A write or sync that fails does not end the test program: fatal() says what happened, the store
// takes no further write, and whoever runs the process lets it crash.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "env/logger.h"
#include "env/metrics.h"
#include "env/testing/gated_strand.h"
#include "env/testing/manual_env.h"
#include "kv/group_writer.h"
#include "kv/testing/memory_store.h"
#include "log/log_store.h"

namespace quorate::log {

class Process {
 public:
  // All outlive it.
  Process(env::ManualEnv& env, env::Logger& logger, env::Metrics& metrics);
  ~Process();

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // REQUIRES: it is not up.
  void Boot();
  bool up() const { return logs_ != nullptr; }

  // No task of this process runs any more. What stands upon it is to go now, then End() or Crash().
  void Halt();
  void End();  // Halts, if that was not done, and frees what Boot() made.
  // Ends, and loses the unsynced batches but the first `keep_unsynced`.
  void Crash(std::size_t keep_unsynced);

  // While it is up:
  env::GatedStrand& strand() { return *strand_; }    // The partition's.
  env::GatedStrand& storage() { return *storage_; }  // Where entries are applied.
  env::GatedStrand& writer() { return *writer_; }    // The log writer's: a slow disk shuts it.
  kv::GroupWriter& states() { return *states_; }
  LogStore& logs() { return *logs_; }

  // What LogStoreOptions::on_fatal was called with since Boot(): once is right.
  const std::vector<std::string>& fatal() const { return fatal_; }

  kv::MemoryStore disk;

 private:
  env::ManualEnv& env_;
  env::Logger& logger_;
  env::Metrics& metrics_;
  std::unique_ptr<env::GatedStrand> strand_;
  std::unique_ptr<env::GatedStrand> storage_;
  env::GatedStrand* states_strand_ = nullptr;  // states_ owns it.
  std::unique_ptr<kv::GroupWriter> states_;
  env::GatedStrand* writer_ = nullptr;  // logs_ owns it.
  std::unique_ptr<LogStore> logs_;
  std::vector<std::string> fatal_;
};

}  // namespace quorate::log
