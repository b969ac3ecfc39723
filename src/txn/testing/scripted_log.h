// A log in the hands of a test: it commits, loses and replaces entries when told to, as a group of
// replicas would. Keeps nothing on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/log_manager.h"
#include "txn/testing/log_mode.h"

namespace quorate::txn {

// All calls on the partition's strand.
class ScriptedLog final : public log::LogManager {
 public:
  explicit ScriptedLog(env::Strand& strand) : strand_(strand) {}

  Status Start(log::StateMachine& machine, Position applied) override;
  Result<Position> Append(std::string data) override;
  void Applied(Lsn lsn) override { applied_ = lsn; }
  void ReadBarrier(ReadDone done) override;
  bool CommitsAlone() const override { return false; }
  void Compact(Lsn lsn) override { compacted_ = lsn; }
  void Resign() override { resigned_ = true; }
  log::LogStatus status() const override;
  void Stop(Callback<> done) override;

  // Becomes leader in a new term; its no-op is committed at once.
  void Lead();
  // Somebody else leads. What is not committed stays, until Replace() or Commit().
  void Depose();
  // The next `count` entries are committed.
  void Commit(std::size_t count);
  // A new leader's no-op (or `data`) takes the place of the first entry that is not committed, and
  // all behind it are gone.
  void Replace(std::string data);
  void Fence(const Error& reason) { machine_->OnFenced(reason); }
  // Append() has room for so many that are not committed.
  void LimitUncommitted(std::size_t count) { uncommitted_max_ = count; }
  // Calls of Append() that found no room.
  int without_room() const { return without_room_; }
  // Nobody hears of this leader, so read barriers wait; until ReleaseReads().
  void HoldReads() { holds_reads_ = true; }
  void ReleaseReads();

  std::size_t uncommitted() const { return tail_.size(); }
  // Everything that was committed since the beginning.
  const std::vector<consensus::Entry>& delivered() const { return delivered_; }
  Lsn compacted() const { return compacted_; }
  Lsn applied() const { return applied_; }
  bool resigned() const { return resigned_; }

 private:
  void Deliver(consensus::Entry entry);
  void AnswerRead(ReadDone done, Lsn lsn);

  env::Strand& strand_;
  log::StateMachine* machine_ = nullptr;
  std::deque<consensus::Entry> tail_;  // Not committed.
  std::vector<consensus::Entry> delivered_;
  Lsn committed_;
  Lsn applied_;
  Lsn compacted_;
  Term term_{1};
  bool leading_ = false;
  bool stopped_ = false;
  bool resigned_ = false;
  bool holds_reads_ = false;
  std::size_t uncommitted_max_ = SIZE_MAX;
  int without_room_ = 0;
  std::vector<std::pair<ReadDone, Lsn>> held_reads_;  // With what was committed when they came.
};

class ScriptedMode final : public LogMode {
 public:
  std::string_view name() const override { return "scripted"; }
  Status Bootstrap(const LogModeParts& parts) override;
  std::unique_ptr<log::LogManager> Open(const LogModeParts& parts) override;

  // Of the last Open(). Runs `act` on the partition's strand, with what follows.
  ScriptedLog& log() { return *log_; }

 private:
  ScriptedLog* log_ = nullptr;
};

}  // namespace quorate::txn
