#include "http/internal/push.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/bytes.h"
#include "git/ref_name.h"

namespace quorate::http {
namespace {

namespace reason = git::reason;

constexpr std::string_view kNotPartOfTransaction =
    "the transaction of this id is committed, and did not do this";
constexpr std::size_t kProgressBytesMax = 16 << 10;  // Not yet taken.

// One line for side band 2: what happened, in receive-pack's words.
std::string Describe(std::string_view ref, const txn::Conflict& conflict) {
  switch (conflict.kind) {
    case txn::Conflict::Kind::kNameConflict:
      return fmt::format("error: cannot lock ref '{0}': '{1}' exists; cannot create '{0}'\n", ref,
                         conflict.key.name);
    case txn::Conflict::Kind::kRepositoryGone:
      return "error: the repository was deleted\n";
    case txn::Conflict::Kind::kRepositoryExists:
    case txn::Conflict::Kind::kReadChanged:
      return fmt::format("error: cannot lock ref '{}': another push was faster\n", ref);
    case txn::Conflict::Kind::kValueChanged:
      break;
  }
  if (!conflict.found.has_value()) {
    return fmt::format("error: cannot lock ref '{0}': unable to resolve reference '{0}'\n", ref);
  }
  if (!conflict.expected.has_value()) {
    return fmt::format("error: cannot lock ref '{}': reference already exists\n", ref);
  }
  return fmt::format("error: cannot lock ref '{}': is at {} but expected {}\n", ref,
                     conflict.found->id.ToHex(), conflict.expected->id.ToHex());
}

std::string_view ReasonOf(const txn::Conflict& conflict) {
  const bool exists = conflict.kind == txn::Conflict::Kind::kValueChanged &&
                      conflict.found.has_value() && !conflict.expected.has_value();
  return exists ? reason::kReferenceAlreadyExists : reason::kFailedToUpdateRef;
}

}  // namespace

Push::Push(std::shared_ptr<cluster::Repository> repository, git::PushRequest request,
           std::string transaction, txn::NamedBy named_by)
    : repository_(std::move(repository)),
      request_(std::move(request)),
      transaction_(std::move(transaction)),
      named_by_(named_by),
      commands_(request_.commands.size()),
      peeled_(request_.commands.size()) {
}

void Push::WritePack(std::string_view bytes) {
  QUORATE_CHECK(request_.expects_pack());
  if (unpack_failed() || bytes.empty()) {
    return;
  }
  if (receiver_ == nullptr) {
    receiver_ = repository_->objects().NewReceiver(cancel_.get_token());
    receiver_->OnProgress([this](std::string_view line) { AddProgress(line); });
  }
  const Status written = receiver_->Write(bytes);
  if (!written) {
    RefuseAll(written.error());
  }
}

void Push::FinishPack() {
  if (unpack_failed()) {
    return;
  }
  if (receiver_ == nullptr) {
    RefuseAll(Error(Code::kInvalidArgument, "the request has no pack"));
    return;
  }
  Result<std::unique_ptr<git::QuarantinedPack>> finished = receiver_->Finish();
  if (!finished) {
    // A shallow client's pack may lack what lies behind its history's end, and we do not have it.
    if (!request_.shallow.empty() && finished.error().code() == Code::kInvalidArgument) {
      RefuseRest(reason::kShallowUpdateNotAllowed);
    }
    RefuseAll(finished.error());
    return;
  }
  pack_ = std::move(*finished);
}

// A line that ends with CR is replaced by the next one, also on the client's screen.
void Push::AddProgress(std::string_view line) {
  const std::lock_guard lock(progress_mutex_);
  if (progress_.ends_with('\r')) {
    const std::size_t before = progress_.rfind('\n');
    progress_.resize(before == std::string::npos ? 0 : before + 1);
  }
  if (progress_.size() + line.size() <= kProgressBytesMax) {
    progress_ += line;
  }
}

std::string Push::TakeProgress() {
  const std::lock_guard lock(progress_mutex_);
  return std::exchange(progress_, {});
}

void Push::RefuseAll(const Error& error) {
  unpack_error_ = error.message();
  may_retry_ = error.code() == Code::kResourceExhausted || error.code() == Code::kUnavailable;
  pack_.reset();
  receiver_.reset();
  RefuseRest(reason::kUnpackerError);
}

void Push::RefuseRest(std::string_view why) {
  for (Command& command : commands_) {
    if (command.refusal.empty()) {
      command.refusal = why;
    }
  }
}

Result<std::optional<txn::Transaction>> Push::Stage(std::string actor) {
  txn::TransactionOptions options;
  options.id = transaction_;
  options.named_by = named_by_;
  options.actor = std::move(actor);
  options.push_options = request_.push_options;
  options.all_or_nothing = request_.capabilities.atomic;
  txn::Transaction transaction = QUORATE_TRY(repository_->transactions().Begin(std::move(options)));
  QUORATE_TRY(Judge(transaction));
  bool any_refused = false;
  for (const Command& command : commands_) {
    any_refused = any_refused || !command.refusal.empty();
  }
  if (any_refused && request_.capabilities.atomic) {
    RefuseRest(reason::kAtomicPushFailure);
    return std::optional<txn::Transaction>();
  }
  bool any_deleted = false;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    if (commands_[i].staged) {
      QUORATE_TRY(StageOne(transaction, i));
      any_deleted = any_deleted || request_.commands[i].deletes();
    }
  }
  if (any_deleted) {  // Because HEAD was elsewhere: it must still be.
    QUORATE_TRY(transaction.VerifyRef(repository_->id(), "HEAD", head_));
  }
  if (staged_.empty()) {
    return std::optional<txn::Transaction>();
  }
  if (pack_ != nullptr && pack_->record().objects > 0) {
    QUORATE_TRY(pack_->Persist());
    QUORATE_TRY(transaction.StagePack(repository_->id(), std::move(pack_)));
  }
  return std::optional<txn::Transaction>(std::move(transaction));
}

Status Push::Judge(const txn::Transaction& transaction) {
  const auto info = QUORATE_TRY(transaction.snapshot().FindRepository(repository_->id()));
  if (!info.has_value()) {
    return Error(Code::kNotFound, "no repository " + repository_->name());
  }
  head_ = info->head;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    bool needless = false;
    commands_[i].refusal =
        QUORATE_TRY(JudgeOne(request_.commands[i], transaction.snapshot(), &peeled_[i], &needless));
    commands_[i].staged = commands_[i].refusal.empty() && !needless;
  }
  return Ok();
}

Result<std::string> Push::JudgeOne(const git::PushCommand& command, const txn::Snapshot& snapshot,
                                   std::optional<git::ObjectId>* peeled, bool* needless) {
  if (command.repeats) {
    return std::string(reason::kMultipleUpdates);
  }
  if (!git::IsValidRefName(command.ref)) {
    return std::string(reason::kFunnyRefName);
  }
  if (command.ref.starts_with(kReservedRefPrefix)) {
    return std::string(command.deletes() ? reason::kDeletingHiddenRef : reason::kHiddenRef);
  }
  if (!command.deletes()) {
    return JudgeTarget(command, peeled);
  }
  if (command.ref == head_.symref) {
    messages_ += fmt::format("error: refusing to delete the current branch: {}\n", command.ref);
    return std::string(reason::kDeletionOfCurrentBranchProhibited);
  }
  const auto found = QUORATE_TRY(snapshot.FindRef(repository_->id(), command.ref));
  if (!found.has_value()) {
    messages_ += "warning: Deleting a non-existent ref.\n";
    *needless = true;
  }
  return std::string();
}

Result<std::string> Push::JudgeTarget(const git::PushCommand& command,
                                      std::optional<git::ObjectId>* peeled) {
  const Result<git::PackReceiver::Target> target = receiver_->Resolve(command.new_id);
  if (!target && target.error().code() == Code::kNotFound) {
    return std::string(reason::kMissingNecessaryObjects);
  }
  if (!target) {
    return Error(target.error());
  }
  if (command.ref.starts_with("refs/heads/") && target->type != git::ObjectType::kCommit) {
    messages_ += fmt::format(
        "error: cannot update ref '{0}': trying to write non-commit object {1} to branch '{0}'\n",
        command.ref, command.new_id.ToHex());
    return std::string(reason::kFailedToUpdateRef);
  }
  *peeled = target->peeled;
  return std::string();
}

Status Push::StageOne(txn::Transaction& transaction, std::size_t index) {
  const git::PushCommand& command = request_.commands[index];
  txn::RefUpdate update;
  update.repository = repository_->id();
  update.name = command.ref;
  update.expected.emplace();
  if (!command.old_id.IsZero()) {
    update.expected->value =
        txn::RefValue{.id = command.old_id, .peeled = std::nullopt, .symref = ""};
  }
  if (!command.deletes()) {
    update.value = txn::RefValue{.id = command.new_id, .peeled = peeled_[index], .symref = ""};
  }
  QUORATE_TRY(transaction.StageRef(std::move(update)));
  staged_.push_back(index);
  return Ok();
}

void Push::OnCommitted(const txn::CommitOutcome& outcome) {
  committed_ = outcome.lsn.value != 0;
  QUORATE_CHECK(outcome.refs.empty() || outcome.refs.size() == staged_.size());
  for (std::size_t i = 0; i < outcome.refs.size(); ++i) {
    if (outcome.refs[i].has_value()) {
      RefuseConflict(staged_[i], *outcome.refs[i]);
    }
  }
}

void Push::RefuseConflict(std::size_t index, const txn::Conflict& conflict) {
  commands_[index].conflicted = true;
  commands_[index].refusal = ReasonOf(conflict);
  messages_ += Describe(request_.commands[index].ref, conflict);
  if (conflict.winner.has_value()) {
    messages_ +=
        fmt::format("note: '{}' was written by transaction {}, entry {}\n", conflict.key.ToString(),
                    conflict.winner->transaction.ToHex(), conflict.winner->lsn.value);
  }
}

void Push::OnNothingDone(const Error& error) {
  const txn::Conflicts* conflicts = txn::ConflictOf(error);
  if (conflicts == nullptr) {
    messages_ += "error: " + error.message() + "\n";
    RefuseRest(reason::kTransactionFailed);
    return;
  }
  bool told = false;
  for (std::size_t i = 0; i < conflicts->refs.size() && i < staged_.size(); ++i) {
    if (conflicts->refs[i].has_value()) {
      RefuseConflict(staged_[i], *conflicts->refs[i]);
      told = true;
    }
  }
  if (!told) {  // It is not about a reference.
    commands_.front().conflicted = true;
    messages_ += "error: " + error.message() + "\n";
  }
  RefuseRest(request_.capabilities.atomic ? reason::kAtomicPushFailure
                                          : reason::kTransactionFailed);
}

Status Push::AnswerAsBefore(const txn::Snapshot& snapshot,
                            const txn::CommittedTransaction& before) {
  repeated_ = true;
  unpack_error_.clear();
  pack_.reset();
  receiver_.reset();
  messages_.clear();
  std::map<std::string, std::optional<txn::RefValue>> done;
  for (txn::RefEvent& event : QUORATE_TRY(snapshot.EventsOf(repository_->id(), before.lsn))) {
    done.emplace(std::move(event.name), std::move(event.after));
  }
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const git::PushCommand& command = request_.commands[i];
    commands_[i] = {};
    const auto event = done.find(command.ref);
    const std::optional<txn::RefValue> made =
        event != done.end()
            ? event->second
            : QUORATE_TRY(snapshot.FindRefAt(repository_->id(), command.ref, before.lsn));
    const bool so = command.deletes() ? !made : made && made->id == command.new_id;
    if (!so) {
      commands_[i].refusal = kNotPartOfTransaction;
    }
  }
  return Ok();
}

std::optional<Error> Push::ReasonOfAbort() const {
  if (repeated_ || committed_ || !staged_.empty()) {
    return std::nullopt;
  }
  if (unpack_failed()) {
    return Error(may_retry_ ? Code::kUnavailable : Code::kInvalidArgument, unpack_error_);
  }
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    if (!commands_[i].refusal.empty()) {
      return Error(
          Code::kInvalidArgument,
          fmt::format("{}: {}", Printable(request_.commands[i].ref), commands_[i].refusal));
    }
  }
  return std::nullopt;
}

git::PushReport Push::Report() const {
  git::PushReport report;
  report.unpack_error = unpack_error_;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    git::CommandReport& line = report.commands.emplace_back();
    line.ref = request_.commands[i].ref;
    line.refusal = commands_[i].refusal;
  }
  return report;
}

std::string_view Push::OutcomeName() const {
  if (repeated_) {
    return "repeated";
  }
  if (unpack_failed()) {
    return "unpack_error";
  }
  std::size_t refused = 0;
  bool conflicted = false;
  for (const Command& command : commands_) {
    refused += command.refusal.empty() ? 0 : 1;
    conflicted = conflicted || command.conflicted;
  }
  if (refused == 0) {
    return "committed";
  }
  if (committed_) {
    return "partial";
  }
  return conflicted ? "conflict" : "refused";
}

}  // namespace quorate::http
