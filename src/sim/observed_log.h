// ObservedLog: a replica's log with somebody who looks at all that passes between it and its state
// machine. It forwards everything.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "log/log_manager.h"
#include "raft/testing/recording_machine.h"

namespace quorate::sim {

// Called on the replica's strand, before the state machine is.
class LogObserver : public raft::MachineObserver {
 public:
  virtual void OnAppended(ReplicaId at, Position position, const std::string& data) = 0;
  // A read barrier is asked for: what it must contain.
  virtual Lsn BarrierFloor() = 0;
  virtual void OnBarrier(ReplicaId at, Lsn floor, Lsn answer) = 0;
};

class ObservedLog final : public log::LogManager, private log::StateMachine {
 public:
  // `observer` outlives it.
  ObservedLog(ReplicaId at, std::unique_ptr<log::LogManager> log, LogObserver& observer)
      : at_(at), log_(std::move(log)), observer_(observer) {}

  Status Start(log::StateMachine& machine, Position applied) override;
  Result<Position> Append(std::string data) override;
  void Applied(Lsn lsn) override { log_->Applied(lsn); }
  void ReadBarrier(ReadDone done) override;
  bool CommitsAlone() const override { return log_->CommitsAlone(); }
  void Compact(Lsn lsn) override { log_->Compact(lsn); }
  void Resign() override { log_->Resign(); }
  log::LogStatus status() const override { return log_->status(); }
  void Stop(Callback<> done) override { log_->Stop(std::move(done)); }

 private:
  void OnCommitted(std::vector<consensus::Entry> entries) override;
  void OnLeading(Term term, Lsn no_op) override;
  void OnFollowing(Term term, ReplicaId leader) override;
  void OnFenced(const Error& reason) override;

  const ReplicaId at_;
  const std::unique_ptr<log::LogManager> log_;
  LogObserver& observer_;
  log::StateMachine* machine_ = nullptr;
};

}  // namespace quorate::sim
