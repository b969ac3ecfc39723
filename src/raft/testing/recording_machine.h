// RecordingMachine is the simplest state machine that can lose its memory: it keeps every entry
// that it applied, in the same store as the log, written without sync.
//
// What it is told goes to an observer as well, for tests to check and print. Strand: the replica's.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "consensus/entry.h"
#include "kv/store.h"
#include "log/log_manager.h"

namespace quorate::raft {

class MachineObserver {
 public:
  virtual ~MachineObserver() = default;
  virtual void OnCommitted(ReplicaId at, const consensus::Entry& entry) = 0;
  virtual void OnLeading(ReplicaId at, Term term, Lsn no_op) = 0;
  virtual void OnFollowing(ReplicaId at, Term term, ReplicaId leader) = 0;
  virtual void OnFenced(ReplicaId at, const Error& reason) = 0;
};

class RecordingMachine final : public log::StateMachine {
 public:
  // Takes up what an earlier one wrote to `store`; a new one stands at kBootstrapPosition.
  RecordingMachine(ReplicaId at, kv::Store& store, MachineObserver& observer);

  // Before Replica::Start(). With `lazy`, entries wait for ApplySome().
  void Attach(log::LogManager& log, bool lazy);

  void OnCommitted(std::vector<consensus::Entry> entries) override;
  void OnLeading(Term term, Lsn no_op) override;
  void OnFollowing(Term term, ReplicaId leader) override;
  void OnFenced(const Error& reason) override;

  void ApplySome(std::size_t count);
  std::size_t unapplied() const { return waiting_.size(); }
  std::size_t unapplied_bytes() const;

  Position applied() const { return applied_; }
  // All applied entries' data by LSN; empty for those without.
  const std::map<Lsn, std::string>& state() const { return state_; }

 private:
  void Apply(const consensus::Entry& entry);

  const ReplicaId at_;
  kv::Store& store_;
  MachineObserver& observer_;
  log::LogManager* log_ = nullptr;
  bool lazy_ = false;

  Position applied_ = kBootstrapPosition;
  std::map<Lsn, std::string> state_;
  std::deque<consensus::Entry> waiting_;
};

}  // namespace quorate::raft
