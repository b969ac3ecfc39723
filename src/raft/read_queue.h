// ReadQueue gathers the linearizable reads that wait at one replica, so that one question to the
// leader answers all that were there when it was asked.
//
// At most one question is under way. Reads that come meanwhile wait for the next one: the answer to
// a question says nothing about what was committed after it was asked. Every question has a context
// of its own, for ever: the engine may answer a repeated one with an old LSN.
//
// A pure class; time is counted in ticks. Callbacks run inside the calls, last, and may add reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/log_manager.h"

namespace quorate::raft {

struct ReadQueueOptions {
  std::size_t waiting_max = 16 << 10;   // Add() refuses beyond.
  std::uint32_t attempt_ticks_max = 5;  // A question without answer is asked again after these.
  std::uint32_t wait_ticks_max = 30;    // A read fails with kUnavailable after these.
};

class ReadQueue {
 public:
  using Done = log::LogManager::ReadDone;

  // `origin` makes the contexts unique among all replicas, incarnations and restarts of the group.
  // `repeats_contexts` is a mistake, for tests that show that it is noticed.
  ReadQueue(std::string origin, ReadQueueOptions options, bool repeats_contexts = false);

  // Fails `done` with kUnavailable at the bound.
  void Add(Done done);

  // True if a question should be asked now: then Ask() gives its context, and Unasked() takes that
  // back if the engine would not have it.
  bool WantsToAsk() const { return !asked_.has_value() && !waiting_.empty(); }
  std::string Ask();
  void Unasked();

  // The engine's answer. An answer to a question given up is ignored.
  void Answer(std::string_view context, Lsn lsn);

  // The question under way will not be answered (the leader changed): ask again.
  void AskAgain();

  void Tick();

  void FailAll(const Error& error);

  bool idle() const { return !asked_.has_value() && waiting_.empty(); }

 private:
  struct Read {
    Done done;
    std::uint64_t deadline;  // In ticks.
  };
  struct Question {
    std::string context;
    std::uint64_t deadline;
    std::vector<Read> reads;
  };

  const std::string origin_;
  const ReadQueueOptions options_;
  const bool repeats_contexts_;

  std::uint64_t now_ = 0;
  std::uint64_t questions_ = 0;
  std::vector<Read> waiting_;  // Oldest first.
  std::optional<Question> asked_;
};

}  // namespace quorate::raft
