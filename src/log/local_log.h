// LocalLog: a LogManager without Raft. One synced write commits; this node alone decides.
//
// It is the base line that Raft is measured against, and the simplest thing the transaction manager
// can run on. Term is always kBootstrapPosition.term + 1 or later: each Start() takes the next one.
//
// What was appended in one burst of tasks goes to the store as one request; requests are pipelined.
// After a restart every stored entry counts as committed: first the no-op of the new term is synced
// (and with it all that lies before it), then the stored entries are delivered, a piece at a time
// as the state machine applies them, then the no-op.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "env/strand.h"
#include "log/log_manager.h"
#include "log/log_store.h"

namespace quorate::log {

struct LocalLogOptions {
  // Append() refuses beyond; a single larger entry is let in when nothing else is uncommitted.
  std::size_t uncommitted_bytes_max = 64 << 20;
  // Stored entries are delivered in pieces of about this size.
  std::size_t delivery_bytes_max = 4 << 20;
};

class LocalLog final : public LogManager {
 public:
  // `strand` and `store` outlive it; every call is made on `strand`. The partition was
  // bootstrapped.
  LocalLog(PartitionId partition, env::Strand& strand, LogStore& store, LocalLogOptions options);
  ~LocalLog() override;

  LocalLog(const LocalLog&) = delete;
  LocalLog& operator=(const LocalLog&) = delete;

  Status Start(StateMachine& machine, Position applied) override;
  Result<Position> Append(std::string data) override;
  void Applied(Lsn lsn) override;
  void ReadBarrier(ReadDone done) override;
  bool CommitsAlone() const override { return alone_.load(); }
  void Compact(Lsn lsn) override;
  void Resign() override;
  LogStatus status() const override;
  void Stop(Callback<> done) override;

 private:
  using Entries = std::vector<consensus::Entry>;

  Status CheckApplied(const StoredLog& stored, Position applied) const;
  void Take(std::string data) QUORATE_REQUIRES(strand_);
  void PostFlush() QUORATE_REQUIRES(strand_);
  void Flush();
  void OnPersisted();
  void OnNoOpPersisted() QUORATE_REQUIRES(strand_);
  void PostDeliverStored() QUORATE_REQUIRES(strand_);
  void DeliverStored();
  void BeginToLead() QUORATE_REQUIRES(strand_);
  void Deliver(Entries entries) QUORATE_REQUIRES(strand_);
  void Fence(Error error) QUORATE_REQUIRES(strand_);
  void FinishStopIfIdle() QUORATE_REQUIRES(strand_);
  template <class Method>
  Callback<> Bound(Method method);

  enum class State : std::uint8_t { kNew, kRecovering, kLeading, kStopping, kStopped, kFenced };

  const PartitionId partition_;
  env::Strand& strand_;
  LogStore& store_;
  const LocalLogOptions options_;
  const std::shared_ptr<const bool>
      alive_;  // Tasks hold it weakly, and do nothing once it is gone.

  StateMachine* machine_ QUORATE_GUARDED_BY(strand_) = nullptr;
  State state_ QUORATE_GUARDED_BY(strand_) = State::kNew;
  ReplicaId replica_ QUORATE_GUARDED_BY(strand_);
  Term term_ QUORATE_GUARDED_BY(strand_);
  Lsn truncated_ QUORATE_GUARDED_BY(strand_);
  Lsn no_op_ QUORATE_GUARDED_BY(strand_);  // Of this term; right behind what was stored at Start().
  Lsn last_ QUORATE_GUARDED_BY(strand_);
  Lsn durable_ QUORATE_GUARDED_BY(strand_);
  Lsn delivered_ QUORATE_GUARDED_BY(strand_);
  Lsn applied_ QUORATE_GUARDED_BY(strand_);

  Entries gathered_ QUORATE_GUARDED_BY(strand_);  // For the next request.
  bool flush_posted_ QUORATE_GUARDED_BY(strand_) = false;
  std::deque<Entries> in_flight_ QUORATE_GUARDED_BY(strand_);  // One for each request, in order.
  std::size_t uncommitted_bytes_ QUORATE_GUARDED_BY(strand_) = 0;  // Of gathered_ and in_flight_.
  bool led_ QUORATE_GUARDED_BY(strand_) = false;                   // OnLeading() was called.
  std::atomic<bool> alone_{false};  // Written on the strand: leads and runs.
  bool resigned_ QUORATE_GUARDED_BY(strand_) = false;
  bool no_op_durable_ QUORATE_GUARDED_BY(strand_) = false;
  Callback<> stopped_ QUORATE_GUARDED_BY(strand_);
};

}  // namespace quorate::log
