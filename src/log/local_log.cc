#include "log/local_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::log {

LocalLog::LocalLog(PartitionId partition, env::Strand& strand, LogStore& store,
                   LocalLogOptions options)
    : partition_(partition),
      strand_(strand),
      store_(store),
      options_(options),
      alive_(std::make_shared<const bool>(true)) {
}

LocalLog::~LocalLog() = default;

// Tasks that outlive this object, as after a simulated crash, do nothing.
template <class Method>
Callback<> LocalLog::Bound(Method method) {
  return [this, method, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) {
      (this->*method)();
    }
  };
}

Status LocalLog::Start(StateMachine& machine, Position applied) {
  strand_.AssertCurrent();
  QUORATE_CHECK(state_ == State::kNew);
  const StoredLog stored = QUORATE_TRY(store_.Load(partition_));
  QUORATE_TRY(CheckApplied(stored, applied));

  machine_ = &machine;
  state_ = State::kRecovering;
  replica_ = stored.identity.replica;
  term_ = stored.hard_state.term.Next();
  truncated_ = stored.truncated.lsn;
  last_ = durable_ = stored.last;
  no_op_ = stored.last.Next();
  delivered_ = applied_ = applied.lsn;
  Take("");
  return Ok();
}

Status LocalLog::CheckApplied(const StoredLog& stored, Position applied) const {
  if (applied.lsn < stored.truncated.lsn || applied.lsn > stored.last) {
    return Error(
        Code::kCorruption,
        fmt::format("partition {}: applied up to {}, but the log holds {} to {}", partition_.value,
                    applied.lsn.value, stored.truncated.lsn.value + 1, stored.last.value));
  }
  const Term term = QUORATE_TRY(store_.TermAt(partition_, applied.lsn));
  if (term != applied.term) {
    return Error(Code::kCorruption,
                 fmt::format("partition {}: entry {} was applied in term {}, but is of term {}",
                             partition_.value, applied.lsn.value, applied.term.value, term.value));
  }
  return Ok();
}

Result<Position> LocalLog::Append(std::string data) {
  strand_.AssertCurrent();
  if (state_ == State::kStopping || state_ == State::kStopped) {
    return Error(Code::kUnavailable, "the log is stopping");
  }
  if (state_ == State::kFenced) {
    return Error(Code::kUnavailable, "the log is fenced");
  }
  if (resigned_) {
    return Error(Code::kUnavailable, "the state machine is fenced");
  }
  if (state_ != State::kLeading || applied_ < no_op_) {
    return Error(Code::kNotLeader, "the log is starting");
  }
  if (uncommitted_bytes_ > 0 && uncommitted_bytes_ + data.size() > options_.uncommitted_bytes_max) {
    return Error(Code::kResourceExhausted, fmt::format("more than {} bytes wait for the disk",
                                                       options_.uncommitted_bytes_max));
  }
  Take(std::move(data));
  return Position{.lsn = last_, .term = term_};
}

void LocalLog::Take(std::string data) {
  last_ = last_.Next();
  uncommitted_bytes_ += data.size();
  gathered_.push_back({.lsn = last_, .term = term_, .data = std::move(data)});
  PostFlush();
}

// Posting, rather than flushing at once, lets a burst of appends share a request.
void LocalLog::PostFlush() {
  if (!std::exchange(flush_posted_, true)) {
    strand_.Post(Bound(&LocalLog::Flush));
  }
}

void LocalLog::Flush() {
  strand_.AssertCurrent();
  flush_posted_ = false;
  if (gathered_.empty()) {
    return;  // Fenced and stopped meanwhile.
  }
  PersistRequest request{.partition = partition_, .entries = gathered_};
  if (gathered_.front().lsn == no_op_) {
    request.hard_state = {.term = term_, .vote = replica_, .commit = Lsn{no_op_.value - 1}};
  }
  in_flight_.push_back(std::exchange(gathered_, {}));
  store_.Persist(std::move(request), strand_, Bound(&LocalLog::OnPersisted));
}

void LocalLog::OnPersisted() {
  strand_.AssertCurrent();
  if (state_ == State::kFenced || state_ == State::kStopped) {
    return;
  }
  QUORATE_CHECK(!in_flight_.empty());
  durable_ = in_flight_.front().back().lsn;
  if (durable_ == no_op_) {
    OnNoOpPersisted();
    return;
  }
  Entries entries = std::move(in_flight_.front());
  in_flight_.pop_front();
  for (const consensus::Entry& entry : entries) {
    uncommitted_bytes_ -= entry.data.size();
  }
  Deliver(std::move(entries));
  FinishStopIfIdle();
}

void LocalLog::OnNoOpPersisted() {
  no_op_durable_ = true;
  if (state_ == State::kStopping) {
    in_flight_.clear();  // Not delivered any more: the next Start() does it.
    FinishStopIfIdle();
    return;
  }
  DeliverStored();
}

void LocalLog::PostDeliverStored() {
  strand_.Post(Bound(&LocalLog::DeliverStored));
}

// One piece of what was stored at Start(); Applied() asks for the next.
void LocalLog::DeliverStored() {
  strand_.AssertCurrent();
  if (state_ != State::kRecovering) {
    return;
  }
  if (delivered_.Next() == no_op_) {
    BeginToLead();
    return;
  }
  Result<Entries> entries =
      store_.Read(partition_, delivered_.Next(), no_op_, options_.delivery_bytes_max);
  if (!entries) {
    Fence(std::move(entries).error().Wrap("read stored entries"));
    return;
  }
  Deliver(*std::move(entries));
}

void LocalLog::BeginToLead() {
  state_ = State::kLeading;
  Entries no_op = std::move(in_flight_.front());
  in_flight_.pop_front();
  Deliver(std::move(no_op));
  if (state_ == State::kLeading) {  // Unless stopped by the state machine just now.
    led_ = true;
    alone_ = true;
    machine_->OnLeading(term_, no_op_);
  }
}

void LocalLog::Deliver(Entries entries) {
  delivered_ = entries.back().lsn;
  machine_->OnCommitted(std::move(entries));
}

void LocalLog::Applied(Lsn lsn) {
  strand_.AssertCurrent();
  QUORATE_CHECK(lsn >= applied_);
  QUORATE_CHECK(lsn <= delivered_);
  const bool moved = lsn > applied_;
  applied_ = lsn;
  if (moved && applied_ == delivered_ && state_ == State::kRecovering) {
    PostDeliverStored();
  }
}

void LocalLog::ReadBarrier(ReadDone done) {
  strand_.AssertCurrent();
  Result<Lsn> answer = delivered_;
  if (state_ != State::kLeading) {
    answer = Error(Code::kUnavailable, "the log is starting, stopping or fenced");
  }
  strand_.Post([done = std::move(done), answer = std::move(answer)]() mutable {
    std::move(done)(std::move(answer));
  });
}

void LocalLog::Compact(Lsn lsn) {
  strand_.AssertCurrent();
  lsn = std::min(lsn, applied_);
  if (lsn <= truncated_ || state_ == State::kFenced || state_ == State::kStopped) {
    return;
  }
  const Result<Term> term = store_.TermAt(partition_, lsn);
  if (!term) {
    Fence(Error(term.error()).Wrap("compact the log"));
    return;
  }
  truncated_ = lsn;
  store_.TruncatePrefix(partition_, {.lsn = lsn, .term = *term});
}

// Nobody else can take over.
void LocalLog::Resign() {
  strand_.AssertCurrent();
  resigned_ = true;
}

LogStatus LocalLog::status() const {
  strand_.AssertCurrent();
  LogStatus status;
  status.term = term_;
  status.leading = state_ == State::kLeading;
  status.leader = status.leading ? replica_ : ReplicaId{};
  status.voters = {replica_};
  status.first = truncated_.Next();
  status.last = last_;
  status.durable = durable_;
  status.committed = std::max(delivered_, no_op_durable_ ? durable_ : Lsn{});
  status.applied = applied_;
  return status;
}

void LocalLog::Fence(Error error) {
  state_ = State::kFenced;
  alone_ = false;
  led_ = false;  // No further call to the state machine.
  machine_->OnFenced(error);
}

// Entries that were appended are persisted and delivered before `done` is called.
void LocalLog::Stop(Callback<> done) {
  strand_.AssertCurrent();
  QUORATE_CHECK(state_ != State::kStopping);
  QUORATE_CHECK(state_ != State::kStopped);
  stopped_ = std::move(done);
  if (state_ == State::kFenced) {
    gathered_.clear();
    in_flight_.clear();
  }
  if (state_ == State::kRecovering && no_op_durable_) {
    in_flight_.clear();  // The no-op is not delivered any more: the next Start() does it.
  }
  state_ = State::kStopping;
  alone_ = false;
  FinishStopIfIdle();
}

void LocalLog::FinishStopIfIdle() {
  if (state_ != State::kStopping || !in_flight_.empty() || !gathered_.empty()) {
    return;
  }
  state_ = State::kStopped;
  if (led_) {
    machine_->OnFollowing(term_, ReplicaId{});
  }
  strand_.Post(std::move(stopped_));
}

}  // namespace quorate::log
