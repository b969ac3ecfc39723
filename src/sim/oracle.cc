// What clients tell the oracle.
#include "sim/oracle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "sim/judge.h"

namespace quorate::sim {
namespace {

std::string Difference(const Contents& found, const Contents& expected) {
  for (const auto& [key, value] : expected) {
    const auto at = found.find(key);
    if (at == found.end() || at->second != value) {
      return fmt::format("{} is {}, the model has {}", key, at == found.end() ? "none" : at->second,
                         value);
    }
  }
  for (const auto& [key, value] : found) {
    if (!expected.contains(key)) {
      return fmt::format("{} is {}, the model has none", key, value);
    }
  }
  return "nothing differs";
}

// As Model::ChangesOf() puts it.
Model::Moves MovesOf(const txn::CommittedChange& change, RepositoryId repository) {
  Model::Moves moves;
  for (const txn::CommittedChange::Move& move : change.moves) {
    const std::string key =
        move.name == "HEAD" ? HeadKey(repository) : RefKey(repository, move.name);
    moves.push_back(fmt::format("{} {}->{}", key, TextOf(move.before), TextOf(move.after)));
  }
  for (const txn::CommittedChange::ConfigMove& move : change.configs) {
    moves.push_back(fmt::format("{} {}->{}", ConfigKey(repository, move.name),
                                TextOf(move.before).value_or("none"),
                                TextOf(move.after).value_or("none")));
  }
  std::ranges::sort(moves);
  return moves;
}

std::vector<bool> LeftOutBy(const txn::CommitOutcome& outcome) {
  std::vector<bool> left_out;
  for (const std::optional<txn::Conflict>& conflict : outcome.refs) {
    left_out.push_back(conflict.has_value());
  }
  return left_out;
}

bool LostTo(const Error& error, const std::string& transaction) {
  const txn::Conflicts* conflicts = txn::ConflictOf(error);
  return conflicts != nullptr &&
         std::ranges::any_of(conflicts->all, [&transaction](const txn::Conflict& conflict) {
           return conflict.winner && conflict.winner->transaction.bytes == transaction;
         });
}

}  // namespace

std::string Intent::ActorOf(std::size_t attempt) const {
  return fmt::format("{}#{}", name, attempt + 1);
}

void Oracle::Violate(std::string checker, std::string what) {
  if (!violation_) {
    trace_->Note("VIOLATION ({}): {}", checker, what);
    violation_ = Violation{.checker = std::move(checker), .what = std::move(what)};
  }
}

Intent& Oracle::NewIntent(const std::string& client, Spec spec) {
  Intent intent;
  intent.name = fmt::format("{}.{}", client, ++made_[client]);
  intent.id = fmt::format("{:.<16}", intent.name);
  intent.spec = std::move(spec);
  intents_.push_back(std::move(intent));
  Intent& made = intents_.back();
  trace_->Note("{} wants: {}", made.name, made.spec.ToString());
  return made;
}

std::size_t Oracle::BeginAttempt(Intent& intent, ReplicaId at, const txn::Snapshot& snapshot) {
  const std::size_t number = intent.attempts.size();
  intent.attempts.push_back({.at = at, .snapshot = snapshot.lsn(), .began = ++step_});
  by_actor_[intent.ActorOf(number)] = {&intent, number};
  totals_.retried += number > 0 ? 1 : 0;
  trace_->Note("n{} {} begins at {}", at.value, intent.ActorOf(number), snapshot.lsn().value);
  for (const Read& read : intent.spec.reads) {
    CheckRead(snapshot, Lsn{0}, read);
  }
  return number;
}

void Oracle::CannotStage(Intent& intent, std::size_t number, const Error& error) {
  Attempt& attempt = intent.attempts[number];
  attempt.fate = Attempt::Fate::kRefused;
  trace_->Note("{}: {}", intent.ActorOf(number), error.ToString());
  const Judgement judgement =
      Judge(model_, intent.spec, attempt.snapshot, attempt.snapshot, /*judge_reads=*/false);
  if (error.code() == Code::kInternal || !judgement.refused) {
    Violate("refusals", fmt::format("{} cannot be staged, and the snapshot allows it: {}",
                                    intent.ActorOf(number), error.ToString()));
  }
}

void Oracle::CheckRead(const txn::Snapshot& snapshot, Lsn floor, const Read& read) {
  ++totals_.reads;
  if (snapshot.lsn() < floor) {
    Violate("reads", fmt::format("a read at {} misses {}, which came before it",
                                 snapshot.lsn().value, floor.value));
    return;
  }
  if (snapshot.lsn() > model_.lsn()) {
    Violate("reads", fmt::format("a snapshot at {}, and {} is the last that was committed",
                                 snapshot.lsn().value, model_.lsn().value));
    return;
  }
  const Result<Contents> found = ReadFrom(snapshot, read);
  if (!found) {
    Violate("reads", found.error().ToString());
    return;
  }
  const Contents expected = model_.ReadAt(read, snapshot.lsn());
  if (*found != expected) {
    Violate("reads", fmt::format("at {}: {}", snapshot.lsn().value, Difference(*found, expected)));
  }
}

void Oracle::CheckChanges(ReplicaId at, const txn::Snapshot& snapshot, RepositoryId repository,
                          Lsn after, std::size_t count_max,
                          const Result<std::vector<txn::CommittedChange>>& given) {
  const auto wrong = [&](const std::string& what) {
    Violate("consumers", fmt::format("n{} at {}: a consumer that stands at {} {}", at.value,
                                     snapshot.lsn().value, after.value, what));
  };
  if (!given) {
    wrong("reads: " + given.error().ToString());
    return;
  }
  totals_.changes_read += given->size();
  const std::map<Lsn, Model::Moves> expected = model_.ChangesOf(repository, after, snapshot.lsn());
  if (given->size() != std::min(count_max, expected.size())) {
    wrong(fmt::format("is given {} changes of {}", given->size(), expected.size()));
    return;
  }
  auto next = expected.begin();
  for (const txn::CommittedChange& change : *given) {
    const Model::Moves moves = MovesOf(change, repository);
    if (change.lsn != next->first || moves != next->second) {
      wrong(fmt::format("is given {}: {}; the model has {}: {}", change.lsn.value,
                        fmt::join(moves, ", "), next->first.value, fmt::join(next->second, ", ")));
      return;
    }
    ++next;
  }
}

void Oracle::Ask(Intent& intent, std::size_t attempt) {
  intent.attempts[attempt].asked = model_.lsn();
}

void Oracle::Answer(Intent& intent, std::size_t number, const Result<txn::CommitOutcome>& answer) {
  Attempt& attempt = intent.attempts[number];
  const std::string actor = intent.ActorOf(number);
  ++step_;
  if (attempt.fate != Attempt::Fate::kOpen && attempt.fate != Attempt::Fate::kUnknown) {
    Violate("answers", actor + " is answered twice");
    return;
  }
  if (!answer) {
    AnswerRefused(intent, number, answer.error());
    return;
  }
  if (answer->lsn.value == 0) {
    trace_->Note("{}: unchanged", actor);
    attempt.fate = Attempt::Fate::kUnchanged;
    ++totals_.unchanged;
    CheckUnchanged(intent, attempt, *answer);
    return;
  }
  trace_->Note("{}: committed at {}", actor, answer->lsn.value);
  attempt.fate = Attempt::Fate::kCommitted;
  ++totals_.acknowledged;
  if (intent.lsn != answer->lsn || intent.committed_attempt != number) {
    Violate("answers", fmt::format("{} was acknowledged at {} and is not committed there", actor,
                                   answer->lsn.value));
    return;
  }
  intent.answered = step_;
  acknowledged_ = std::max(acknowledged_, answer->lsn);
  if (LeftOutBy(*answer) != intent.refs_left_out) {
    Violate("answers", actor + " left out other references than the model");
  }
  CheckLeftOut(intent, attempt, *answer);
}

void Oracle::AnswerRefused(Intent& intent, std::size_t number, const Error& error) {
  Attempt& attempt = intent.attempts[number];
  const std::string actor = intent.ActorOf(number);
  const Code code = error.code();
  trace_->Note("{}: {}", actor, error.ToString());
  attempt.fate = code == Code::kOutcomeUnknown ? Attempt::Fate::kUnknown : Attempt::Fate::kRefused;
  if (attempt.fate == Attempt::Fate::kRefused && intent.lsn && intent.committed_attempt == number) {
    Violate("answers", actor + " was refused and is committed");
  }
  if (code == Code::kAlreadyExists && !intent.lsn) {
    Violate("answers", actor + " is said to be committed already, and is not");
  }
  if (code == Code::kInternal || code == Code::kInvalidArgument || code == Code::kNotFound) {
    Violate("answers", actor + " is answered " + error.ToString());
  }
  if (LostTo(error, intent.id)) {
    Violate("refusals", actor + " lost to an attempt of its own");
  }
  if (code == Code::kConflict) {
    ++totals_.conflicts;
    if (const auto wrong = refusals_.FindWrong(intent.spec, attempt.at, attempt.snapshot, error)) {
      Violate("refusals", fmt::format("{} (snapshot {}) lost to nobody: {}", actor,
                                      attempt.snapshot.value, *wrong));
    }
  }
}

// Somewhere between question and answer, where the same references would have been left out.
void Oracle::CheckUnchanged(const Intent& intent, const Attempt& attempt,
                            const txn::CommitOutcome& outcome) {
  std::string reason = "nothing was asked";
  for (Lsn at = attempt.asked; at <= model_.lsn(); at = at.Next()) {
    const Judgement judgement =
        Judge(model_, intent.spec, attempt.snapshot, at, rules_.judge_reads);
    if (!judgement.refused && judgement.changes_nothing() &&
        judgement.refs_left_out == LeftOutBy(outcome)) {
      CheckLeftOut(intent, attempt, outcome);
      return;
    }
    reason = judgement.refused.value_or("it changes something");
  }
  Violate("answers", fmt::format("{} is said to change nothing, anywhere between {} and {}: {}",
                                 intent.name, attempt.asked.value, model_.lsn().value, reason));
}

void Oracle::CheckLeftOut(const Intent& intent, const Attempt& attempt,
                          const txn::CommitOutcome& outcome) {
  for (const std::optional<txn::Conflict>& conflict : outcome.refs) {
    const auto wrong =
        conflict ? refusals_.FindWrong(intent.spec, attempt.at, attempt.snapshot, *conflict)
                 : std::nullopt;
    if (wrong) {
      Violate("refusals", fmt::format("{} (snapshot {}) left out a reference for nothing: {}",
                                      intent.name, attempt.snapshot.value, *wrong));
    }
  }
}

void Oracle::Lose(Intent& intent, std::size_t number) {
  Attempt& attempt = intent.attempts[number];
  if (attempt.fate == Attempt::Fate::kOpen) {
    attempt.fate = Attempt::Fate::kUnknown;
    trace_->Note("{}: no answer", intent.ActorOf(number));
  }
}

void Oracle::Abandon(Intent& intent, std::size_t number) {
  intent.attempts[number].fate = Attempt::Fate::kRefused;
  trace_->Note("{}: dropped", intent.ActorOf(number));
}

void Oracle::Resolve(Intent& intent,
                     const Result<std::optional<txn::CommittedTransaction>>& found) {
  if (!found || !*found || intent.lsn != (*found)->lsn) {
    Violate("answers", fmt::format("{} is said to be committed already, and is not", intent.name));
    return;
  }
  trace_->Note("{} turns out to be entry {}", intent.name, intent.lsn->value);
  intent.answered = ++step_;
  acknowledged_ = std::max(acknowledged_, *intent.lsn);
}

void Oracle::CheckState(ReplicaId at, const txn::Snapshot& snapshot, std::uint64_t hash) {
  const Lsn lsn = snapshot.lsn();
  if (lsn > model_.lsn()) {
    Violate("state", fmt::format("n{} has applied {}, and {} is the last that was committed",
                                 at.value, lsn.value, model_.lsn().value));
    return;
  }
  const Result<Contents> found = ReadAll(snapshot);
  if (!found) {
    Violate("state", found.error().ToString());
    return;
  }
  if (const Contents expected = model_.StateAt(lsn); *found != expected) {
    Violate("state",
            fmt::format("n{} at {}: {}", at.value, lsn.value, Difference(*found, expected)));
  }
  if (const auto known = state_hashes_.emplace(lsn, hash).first; known->second != hash) {
    Violate("state",
            fmt::format("n{} has at {} another state than somebody had", at.value, lsn.value));
  }
}

void Oracle::CheckTransactionIds(ReplicaId at, const txn::Snapshot& snapshot) {
  for (const Intent& intent : intents_) {
    const auto found = snapshot.FindTransaction(intent.id);
    const Lsn lsn = found && *found ? (*found)->lsn : Lsn{0};
    const Lsn expected = intent.lsn && *intent.lsn <= snapshot.lsn() ? *intent.lsn : Lsn{0};
    if (!found || lsn != expected) {
      Violate("state", fmt::format("n{} has {} at {}, it is at {}", at.value, intent.name,
                                   lsn.value, expected.value));
      return;
    }
  }
}

}  // namespace quorate::sim
