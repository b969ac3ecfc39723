// WatchedLog: a partition's log, with a look at what passes between it and its state machine.
//
// It forwards everything in both directions. The node learns from it when the partition can take
// transactions, when it lost its lead, and how much was appended, without the transaction manager
// or the log knowing of nodes.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "env/strand.h"
#include "log/log_manager.h"

namespace quorate::cluster {

// Called on the partition's strand; all but OnAppended() never from within a call to the log.
class LogWatcher {
 public:
  virtual ~LogWatcher() = default;

  // An entry of that size was appended. Must be quick.
  virtual void OnAppended(std::size_t bytes) = 0;

  // This replica leads in `term`, and its no-op at `no_op` is applied: the term fence is passed.
  virtual void OnReady(Term term, Lsn no_op) = 0;
  virtual void OnFollowing(Term term, ReplicaId leader) = 0;
  virtual void OnFenced(const Error& reason) = 0;
};

// On the partition's strand, but for members(). Destroyed when nothing runs on the strand any more.
class WatchedLog final : public log::LogManager, private log::StateMachine {
 public:
  // `strand` and `watcher` outlive it.
  WatchedLog(std::unique_ptr<log::LogManager> log, env::Strand& strand, LogWatcher& watcher);
  ~WatchedLog() override;

  WatchedLog(const WatchedLog&) = delete;
  WatchedLog& operator=(const WatchedLog&) = delete;

  Status Start(log::StateMachine& machine, Position applied) override;
  Result<Position> Append(std::string data) override;
  void Applied(Lsn lsn) override;
  void ReadBarrier(ReadDone done) override;
  bool CommitsAlone() const override { return log_->CommitsAlone(); }
  void Compact(Lsn lsn) override;
  void Resign() override { log_->Resign(); }
  log::LogStatus status() const override;
  void Stop(Callback<> done) override;

  // Any thread. The group as of its last change of leader or configuration.
  struct Members {
    Term term;
    bool leading = false;
    ReplicaId leader;
    std::vector<ReplicaId> voters;
    std::vector<ReplicaId> learners;
  };
  Members members() const;

 private:
  void OnCommitted(std::vector<consensus::Entry> entries) override;
  void OnLeading(Term term, Lsn no_op) override;
  void OnFollowing(Term term, ReplicaId leader) override;
  void OnFenced(const Error& reason) override;

  void ReportWhenFencePassed() QUORATE_REQUIRES(strand_);
  void PublishMembers();

  const std::unique_ptr<log::LogManager> log_;
  env::Strand& strand_;
  LogWatcher& watcher_;

  log::StateMachine* machine_ QUORATE_GUARDED_BY(strand_) = nullptr;
  Lsn applied_ QUORATE_GUARDED_BY(strand_);
  Term leading_term_ QUORATE_GUARDED_BY(strand_);  // 0 while not leading, or once reported.
  Lsn no_op_ QUORATE_GUARDED_BY(strand_);

  mutable std::mutex mutex_;  // Guards members_.
  Members members_;
};

}  // namespace quorate::cluster
