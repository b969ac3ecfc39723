// A StateMachine that remembers what it is told, and a world in which one node's logs live, crash
// and come back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/manual_env.h"
#include "log/log_manager.h"
#include "log/testing/process.h"

namespace quorate::log {

// Keeps the entries, and every call as a line: "committed 6@2:x", "leading 2 6", "following 2",
// "fenced corruption". With `manager` set and `apply_at_once`, reports each entry as applied.
class RecordingMachine final : public StateMachine {
 public:
  void OnCommitted(std::vector<consensus::Entry> entries) override;
  void OnLeading(Term term, Lsn no_op) override;
  void OnFollowing(Term term, ReplicaId leader) override;
  void OnFenced(const Error& reason) override;

  LogManager* manager = nullptr;
  bool apply_at_once = true;
  std::vector<std::string> calls;
  std::vector<consensus::Entry> entries;
};

// One process with a LogStore, up from the start.
class LogWorld {
 public:
  LogWorld() { process_.Boot(); }
  explicit LogWorld(std::uint64_t seed) : env_(seed) { process_.Boot(); }

  LogStore& store() { return process_.logs(); }
  kv::MemoryStore& disk() { return process_.disk; }
  env::ManualEnv& env() { return env_; }
  env::RecordingLogger& logger() { return logger_; }

  // The process dies and comes back: requests that were under way are dropped, and of the unsynced
  // batches only the first `keep_unsynced` remain.
  void Crash(std::size_t keep_unsynced);
  void Crash(Prng& prng) { Crash(prng.Below(disk().unsynced() + 1)); }

  // Runs `task` on `strand` and everything that follows from it.
  void Run(env::Strand& strand, std::function<void()> task);

  const std::vector<std::string>& fatal() const { return process_.fatal(); }

 private:
  env::ManualEnv env_;
  env::RecordingLogger logger_;
  env::FakeMetrics metrics_;
  Process process_{env_, logger_, metrics_};
};

}  // namespace quorate::log
