#include "cluster/watched_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::cluster {

WatchedLog::WatchedLog(std::unique_ptr<log::LogManager> log, env::Strand& strand,
                       LogWatcher& watcher)
    : log_(std::move(log)), strand_(strand), watcher_(watcher) {
}

WatchedLog::~WatchedLog() = default;

Status WatchedLog::Start(log::StateMachine& machine, Position applied) {
  strand_.AssertCurrent();
  QUORATE_CHECK(machine_ == nullptr);
  machine_ = &machine;
  applied_ = applied.lsn;
  QUORATE_TRY(log_->Start(*this, applied));
  PublishMembers();
  return Ok();
}

Result<Position> WatchedLog::Append(std::string data) {
  strand_.AssertCurrent();
  const std::size_t size = data.size();
  Result<Position> position = log_->Append(std::move(data));
  if (position) {
    watcher_.OnAppended(size);
  }
  return position;
}

void WatchedLog::Applied(Lsn lsn) {
  strand_.AssertCurrent();
  log_->Applied(lsn);
  applied_ = lsn;
  ReportWhenFencePassed();
}

void WatchedLog::ReadBarrier(ReadDone done) {
  log_->ReadBarrier(std::move(done));
}

void WatchedLog::Compact(Lsn lsn) {
  log_->Compact(lsn);
}

log::LogStatus WatchedLog::status() const {
  return log_->status();
}

void WatchedLog::Stop(Callback<> done) {
  log_->Stop(std::move(done));
}

WatchedLog::Members WatchedLog::members() const {
  const std::lock_guard lock(mutex_);
  return members_;
}

void WatchedLog::OnCommitted(std::vector<consensus::Entry> entries) {
  strand_.AssertCurrent();
  const bool reconfigured = std::ranges::any_of(entries, [](const consensus::Entry& entry) {
    return entry.type != consensus::EntryType::kNormal;
  });
  machine_->OnCommitted(std::move(entries));
  if (reconfigured) {
    PublishMembers();
  }
}

void WatchedLog::OnLeading(Term term, Lsn no_op) {
  strand_.AssertCurrent();
  leading_term_ = term;
  no_op_ = no_op;
  machine_->OnLeading(term, no_op);
  PublishMembers();
  ReportWhenFencePassed();
}

void WatchedLog::OnFollowing(Term term, ReplicaId leader) {
  strand_.AssertCurrent();
  leading_term_ = Term();
  machine_->OnFollowing(term, leader);
  PublishMembers();
  strand_.Post([this, term, leader] { watcher_.OnFollowing(term, leader); });
}

void WatchedLog::OnFenced(const Error& reason) {
  strand_.AssertCurrent();
  leading_term_ = Term();
  machine_->OnFenced(reason);
  strand_.Post([this, reason] { watcher_.OnFenced(reason); });
}

// Posted, so that whoever called us is through with the same news when the watcher acts on it.
void WatchedLog::ReportWhenFencePassed() {
  if (leading_term_ == Term() || applied_ < no_op_) {
    return;
  }
  const Term term = std::exchange(leading_term_, Term());
  strand_.Post([this, term, no_op = no_op_] { watcher_.OnReady(term, no_op); });
}

void WatchedLog::PublishMembers() {
  log::LogStatus now = log_->status();
  const std::lock_guard lock(mutex_);
  members_ = {.term = now.term,
              .leading = now.leading,
              .leader = now.leader,
              .voters = std::move(now.voters),
              .learners = std::move(now.learners)};
}

}  // namespace quorate::cluster
