// Push: what a push does to a repository, without a network: judge each command, stage what may be
// done, and turn the outcome into Git's report.
//
// Used by one thread at a time; calls marked "blocks" are for a pool that may.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/node.h"
#include "git/object_store.h"
#include "git/push_report.h"
#include "git/push_request.h"
#include "txn/transaction.h"

namespace quorate::http {

// References below it are ours; clients may not write them.
inline constexpr std::string_view kReservedRefPrefix = "refs/quorate/";

class Push {
 public:
  // `repository` is held until the push is destroyed.
  // `transaction`: the id of what it does, 16 raw bytes.
  Push(std::shared_ptr<cluster::Repository> repository, git::PushRequest request,
       std::string transaction, txn::NamedBy named_by);

  const git::PushRequest& request() const { return request_; }
  const std::string& transaction() const { return transaction_; }

  // Blocks. The next bytes of the pack; only if the request expects one. After an error the rest of
  // the pack may be passed in or not; it is ignored.
  void WritePack(std::string_view bytes);
  // Blocks. The pack has ended: checks it.
  void FinishPack();
  // Any thread, also while other calls run: they end soon, and the pack is refused.
  void CancelPack() { cancel_.request_stop(); }
  // The pack cannot be used; its error is in the report.
  bool unpack_failed() const { return !unpack_error_.empty(); }
  // Any thread, also while other calls run. What was said of the pack's progress since the last
  // call.
  std::string TakeProgress();

  // Blocks. Begins the transaction, judges the commands and stages those that may be done. The
  // transaction, or nothing if none is left to commit. Errors: nothing was done.
  Result<std::optional<txn::Transaction>> Stage(std::string actor);

  // What became of the commit.
  void OnCommitted(const txn::CommitOutcome& outcome);
  // kConflict and every other error that promises that nothing was done.
  void OnNothingDone(const Error& error);

  // Blocks. The transaction of this id was committed by an earlier attempt: answers each command as
  // that one did. What that one did not make so is refused, also when the id was used for something
  // else. The pack, if one was sent, is dropped.
  Status AnswerAsBefore(const txn::Snapshot& snapshot, const txn::CommittedTransaction& before);
  bool repeated() const { return repeated_; }

  // A refusal of every command for the same reason, before anything was staged.
  void RefuseAll(const Error& error);

  git::PushReport Report() const;
  // Warnings and errors in Git's words, for side band 2.
  const std::string& messages() const { return messages_; }
  // What no transaction was begun for, though one was asked for; nothing if it was, or if there was
  // nothing to do.
  std::optional<Error> ReasonOfAbort() const;
  // For the metrics: committed, partial, refused, conflict, unpack_error, repeated.
  std::string_view OutcomeName() const;

 private:
  struct Command {
    std::string refusal;  // Empty: not refused (yet).
    bool staged = false;
    bool conflicted = false;
  };

  void AddProgress(std::string_view line);
  Status Judge(const txn::Transaction& transaction);
  Result<std::string> JudgeOne(const git::PushCommand& command, const txn::Snapshot& snapshot,
                               std::optional<git::ObjectId>* peeled, bool* needless);
  Result<std::string> JudgeTarget(const git::PushCommand& command,
                                  std::optional<git::ObjectId>* peeled);
  Status StageOne(txn::Transaction& transaction, std::size_t index);
  void RefuseConflict(std::size_t index, const txn::Conflict& conflict);
  void RefuseRest(std::string_view reason);

  const std::shared_ptr<cluster::Repository> repository_;
  const git::PushRequest request_;
  const std::string transaction_;
  const txn::NamedBy named_by_;
  std::stop_source cancel_;
  std::unique_ptr<git::PackReceiver> receiver_;
  std::unique_ptr<git::QuarantinedPack> pack_;
  std::string unpack_error_;
  bool may_retry_ = false;  // What unpack_error_ says may pass.
  std::mutex progress_mutex_;
  std::string progress_;  // By progress_mutex_.
  std::string messages_;

  txn::RefValue head_;                                // As judged.
  std::vector<Command> commands_;                     // As request_.commands.
  std::vector<std::optional<git::ObjectId>> peeled_;  // Likewise.
  std::vector<std::size_t> staged_;  // Indices of commands, in the order of StageRef().
  bool committed_ = false;
  bool repeated_ = false;
};

}  // namespace quorate::http
