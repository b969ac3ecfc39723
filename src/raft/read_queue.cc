#include "raft/read_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace quorate::raft {

ReadQueue::ReadQueue(std::string origin, ReadQueueOptions options, bool repeats_contexts)
    : origin_(std::move(origin)), options_(options), repeats_contexts_(repeats_contexts) {
}

void ReadQueue::Add(Done done) {
  const std::size_t held = waiting_.size() + (asked_ ? asked_->reads.size() : 0);
  if (held >= options_.waiting_max) {
    std::move(done)(Error(Code::kUnavailable, "too many reads wait for the leader"));
    return;
  }
  waiting_.push_back({.done = std::move(done), .deadline = now_ + options_.wait_ticks_max});
}

std::string ReadQueue::Ask() {
  QUORATE_CHECK(WantsToAsk());
  questions_ += repeats_contexts_ ? 0 : 1;
  asked_ = Question{.context = origin_ + "/" + std::to_string(questions_),
                    .deadline = now_ + options_.attempt_ticks_max,
                    .reads = std::exchange(waiting_, {})};
  return asked_->context;
}

void ReadQueue::Unasked() {
  QUORATE_CHECK(asked_.has_value());
  AskAgain();
}

void ReadQueue::AskAgain() {
  if (!asked_) {
    return;
  }
  std::vector<Read> reads = std::move(asked_->reads);
  asked_.reset();
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(reads));
  waiting_ = std::move(reads);
}

void ReadQueue::Answer(std::string_view context, Lsn lsn) {
  if (!asked_ || asked_->context != context) {
    return;
  }
  std::vector<Read> reads = std::move(asked_->reads);
  asked_.reset();
  for (Read& read : reads) {
    std::move(read.done)(lsn);
  }
}

void ReadQueue::Tick() {
  ++now_;
  if (asked_ && asked_->deadline <= now_) {
    AskAgain();
  }
  const auto late = std::find_if(waiting_.begin(), waiting_.end(),
                                 [this](const Read& read) { return read.deadline > now_; });
  std::vector<Read> expired(std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(late));
  waiting_.erase(waiting_.begin(), late);
  for (Read& read : expired) {
    std::move(read.done)(Error(Code::kUnavailable, "no leader confirmed the read in time"));
  }
}

void ReadQueue::FailAll(const Error& error) {
  AskAgain();
  for (Read& read : std::exchange(waiting_, {})) {
    std::move(read.done)(error);
  }
}

}  // namespace quorate::raft
