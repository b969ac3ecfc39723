#include "sim/observed_log.h"

#include <utility>

namespace quorate::sim {

Status ObservedLog::Start(log::StateMachine& machine, Position applied) {
  machine_ = &machine;
  return log_->Start(*this, applied);
}

Result<Position> ObservedLog::Append(std::string data) {
  std::string copy = data;
  Result<Position> position = log_->Append(std::move(data));
  if (position) {
    observer_.OnAppended(at_, *position, copy);
  }
  return position;
}

// The observer outlives the log, the log does not outlive an answer that comes late.
void ObservedLog::ReadBarrier(ReadDone done) {
  log_->ReadBarrier([at = at_, &observer = observer_, floor = observer_.BarrierFloor(),
                     done = std::move(done)](Result<Lsn> answer) mutable {
    if (answer) {
      observer.OnBarrier(at, floor, *answer);
    }
    std::move(done)(std::move(answer));
  });
}

void ObservedLog::OnCommitted(std::vector<consensus::Entry> entries) {
  for (const consensus::Entry& entry : entries) {
    observer_.OnCommitted(at_, entry);
  }
  machine_->OnCommitted(std::move(entries));
}

void ObservedLog::OnLeading(Term term, Lsn no_op) {
  observer_.OnLeading(at_, term, no_op);
  machine_->OnLeading(term, no_op);
}

void ObservedLog::OnFollowing(Term term, ReplicaId leader) {
  observer_.OnFollowing(at_, term, leader);
  machine_->OnFollowing(term, leader);
}

void ObservedLog::OnFenced(const Error& reason) {
  observer_.OnFenced(at_, reason);
  machine_->OnFenced(reason);
}

}  // namespace quorate::sim
