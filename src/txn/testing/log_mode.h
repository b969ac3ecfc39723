// How a partition's log is kept, as far as tests of transactions care: the same scripts run over a
// local log, over Raft with one voter, over Raft with three.
#pragma once

#include <memory>
#include <string_view>

#include "base/ids.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/strand.h"
#include "env/testing/manual_env.h"
#include "kv/store.h"
#include "log/log_manager.h"
#include "log/log_store.h"

namespace quorate::txn {

// What the node under test has; a new set after each crash.
struct LogModeParts {
  PartitionId partition;
  env::ManualEnv& env;
  env::Strand& strand;  // The partition's.
  kv::Store& store;
  log::LogStore& logs;  // Over `store`.
  env::Logger& logger;
  env::Metrics& metrics;
};

class LogMode {
 public:
  virtual ~LogMode() = default;

  virtual std::string_view name() const = 0;

  // Makes the records of a new group. Once in the life of a store.
  virtual Status Bootstrap(const LogModeParts& parts) = 0;

  // A log that the manager will Start(). Everything that the last one used is gone.
  virtual std::unique_ptr<log::LogManager> Open(const LogModeParts& parts) = 0;

  // Runs tasks, and time where the mode needs it, until nothing is left to do.
  virtual void Run(env::ManualEnv& env) { env.RunUntilIdle(); }
};

// log::LocalLog.
std::unique_ptr<LogMode> NewLocalMode();

}  // namespace quorate::txn
