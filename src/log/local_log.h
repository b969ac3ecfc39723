// LocalLog: a LogManager without Raft. One synced write commits; this node alone decides.
//
// It is the base line that Raft is measured against, and the simplest thing the transaction manager
// can run on. Term is always kBootstrapPosition.term + 1 or later: each Start() takes the next one.
#pragma once

#include <deque>
#include <string>

#include "base/thread_annotations.h"
#include "env/strand.h"
#include "log/log_manager.h"
#include "log/log_store.h"

namespace quorate::log {

struct LocalLogOptions {
  std::size_t uncommitted_bytes_max = 64 << 20;  // Append() refuses beyond.
};

class LocalLog final : public LogManager {
 public:
  // `strand` and `store` outlive it; every call is made on `strand`. The partition was bootstrapped.
  LocalLog(PartitionId partition, env::Strand& strand, LogStore& store, LocalLogOptions options);
  ~LocalLog() override;

  LocalLog(const LocalLog&) = delete;
  LocalLog& operator=(const LocalLog&) = delete;

  Status Start(StateMachine& machine, Position applied) override;
  Result<Position> Append(std::string data) override;
  void Applied(Lsn lsn) override;
  void ReadBarrier(ReadDone done) override;
  void Compact(Lsn lsn) override;
  LogStatus status() const override;
  void Stop(Callback<> done) override;

  // The implementer of this class adds its private state here.
};

}  // namespace quorate::log
