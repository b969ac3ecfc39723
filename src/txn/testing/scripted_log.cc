#include "txn/testing/scripted_log.h"

#include <utility>

#include "base/check.h"

namespace quorate::txn {

Status ScriptedLog::Start(log::StateMachine& machine, Position applied) {
  machine_ = &machine;
  committed_ = applied_ = applied.lsn;
  term_ = applied.term;
  return Ok();
}

Result<Position> ScriptedLog::Append(std::string data) {
  if (!leading_) {
    return Error(Code::kNotLeader, "another replica leads");
  }
  if (tail_.size() >= uncommitted_max_) {
    ++without_room_;
    return Error(Code::kResourceExhausted, "too much is not committed yet");
  }
  const Lsn last = tail_.empty() ? committed_ : tail_.back().lsn;
  tail_.push_back({.lsn = last.Next(),
                   .term = term_,
                   .type = consensus::EntryType::kNormal,
                   .data = std::move(data)});
  return tail_.back().position();
}

void ScriptedLog::ReadBarrier(ReadDone done) {
  if (holds_reads_) {
    held_reads_.emplace_back(std::move(done), committed_);
  } else {
    AnswerRead(std::move(done), committed_);
  }
}

void ScriptedLog::ReleaseReads() {
  holds_reads_ = false;
  for (auto& [done, lsn] : std::exchange(held_reads_, {})) {
    AnswerRead(std::move(done), lsn);
  }
}

void ScriptedLog::AnswerRead(ReadDone done, Lsn lsn) {
  Result<Lsn> answer = lsn;
  if (!leading_ || stopped_) {
    answer = Error(Code::kNotLeader, "another replica leads");
  }
  strand_.Post([done = std::move(done), answer = std::move(answer)]() mutable {
    std::move(done)(std::move(answer));
  });
}

log::LogStatus ScriptedLog::status() const {
  log::LogStatus status;
  status.term = term_;
  status.leading = leading_;
  status.committed = committed_;
  status.applied = applied_;
  return status;
}

void ScriptedLog::Stop(Callback<> done) {
  stopped_ = true;
  if (std::exchange(leading_, false)) {
    machine_->OnFollowing(term_, ReplicaId{0});
  }
  strand_.Post(std::move(done));
}

void ScriptedLog::Lead() {
  term_ = term_.Next();
  // What was appended by others and kept is committed with the new leader's no-op.
  Commit(tail_.size());
  leading_ = true;
  const Lsn no_op = committed_.Next();
  Deliver({.lsn = no_op, .term = term_, .type = consensus::EntryType::kNormal, .data = {}});
  machine_->OnLeading(term_, no_op);
}

void ScriptedLog::Depose() {
  term_ = term_.Next();
  leading_ = false;
  machine_->OnFollowing(term_, ReplicaId{2});
}

void ScriptedLog::Commit(std::size_t count) {
  QUORATE_CHECK(count <= tail_.size());
  for (; count > 0; --count) {
    consensus::Entry entry = std::move(tail_.front());
    tail_.pop_front();
    Deliver(std::move(entry));
  }
}

void ScriptedLog::Replace(std::string data) {
  tail_.clear();
  term_ = term_.Next();
  leading_ = false;
  Deliver({.lsn = committed_.Next(),
           .term = term_,
           .type = consensus::EntryType::kNormal,
           .data = std::move(data)});
}

void ScriptedLog::Deliver(consensus::Entry entry) {
  committed_ = entry.lsn;
  delivered_.push_back(entry);
  std::vector<consensus::Entry> entries;
  entries.push_back(std::move(entry));
  machine_->OnCommitted(std::move(entries));
}

Status ScriptedMode::Bootstrap(const LogModeParts& parts) {
  return parts.logs.Bootstrap(parts.partition, {.replica = ReplicaId{1}, .incarnation = 1}, "");
}

std::unique_ptr<log::LogManager> ScriptedMode::Open(const LogModeParts& parts) {
  auto log = std::make_unique<ScriptedLog>(parts.strand);
  log_ = log.get();
  return log;
}

}  // namespace quorate::txn
