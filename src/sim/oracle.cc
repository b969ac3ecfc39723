#include "sim/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "sim/serial_graph.h"
#include "txn/describe_entry.h"

namespace quorate::sim {
namespace {

// The third word of a described entry, without its colon.
std::string_view ActorIn(std::string_view description) {
  std::size_t at = description.find(' ');
  at = description.find(' ', at + 1);
  const std::size_t end = description.find(':', at + 1);
  return description.substr(at + 1, end - at - 1);
}

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

// --- Clients ---

Intent& Oracle::NewIntent(int client, Spec spec) {
  Intent intent;
  intent.name = fmt::format("c{}.{}", client, ++made_[client]);
  intent.id = fmt::format("{:.<16}", intent.name);
  intent.spec = std::move(spec);
  intents_.push_back(std::move(intent));
  Intent& made = intents_.back();
  by_id_[made.id] = &made;
  trace_->Note("{} wants: {}", made.name, made.spec.ToString());
  return made;
}

std::size_t Oracle::BeginAttempt(Intent& intent, ReplicaId at, const txn::Snapshot& snapshot) {
  const std::size_t number = intent.attempts.size();
  intent.attempts.push_back(
      {.at = at, .snapshot = snapshot.lsn(), .began = ++step_, .fate = Attempt::Fate::kOpen});
  by_actor_[intent.ActorOf(number)] = {&intent, number};
  totals_.retried += number > 0 ? 1 : 0;
  trace_->Note("n{} {} begins at {}", at.value, intent.ActorOf(number), snapshot.lsn().value);
  for (const Read& read : intent.spec.reads) {
    CheckRead(snapshot, Lsn{0}, read);
  }
  return number;
}

void Oracle::CheckRead(const txn::Snapshot& snapshot, Lsn floor, const Read& read) {
  ++totals_.reads;
  if (snapshot.lsn() < floor) {
    Violate("reads", fmt::format("a read at {} misses {}, which was acknowledged before",
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

void Oracle::Answer(Intent& intent, std::size_t number, const Result<txn::CommitOutcome>& answer) {
  Attempt& attempt = intent.attempts[number];
  const std::string actor = intent.ActorOf(number);
  ++step_;
  if (attempt.fate != Attempt::Fate::kOpen && attempt.fate != Attempt::Fate::kUnknown) {
    Violate("answers", actor + " is answered twice");
    return;
  }
  if (!answer) {
    const Code code = answer.error().code();
    trace_->Note("{}: {}", actor, answer.error().ToString());
    attempt.fate =
        code == Code::kOutcomeUnknown ? Attempt::Fate::kUnknown : Attempt::Fate::kRefused;
    if (attempt.fate == Attempt::Fate::kRefused && intent.lsn &&
        intent.committed_attempt == number) {
      Violate("answers", actor + " was refused and is committed");
    }
    if (code == Code::kAlreadyExists && !intent.lsn) {
      Violate("answers", actor + " is said to be committed already, and is not");
    }
    if (code == Code::kConflict) {
      ++totals_.conflicts;
      CheckConflict(intent, attempt, answer.error());
    }
    return;
  }
  if (answer->lsn.value == 0) {
    trace_->Note("{}: unchanged", actor);
    attempt.fate = Attempt::Fate::kUnchanged;
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
}

void Oracle::CheckConflict(const Intent& intent, const Attempt& attempt, const Error& error) {
  const txn::Conflicts* conflicts = txn::ConflictOf(error);
  if (conflicts == nullptr) {
    return;
  }
  for (const txn::Conflict& conflict : conflicts->all) {
    if (!conflict.winner) {
      continue;
    }
    const auto winner = by_id_.find(conflict.winner->transaction.bytes);
    if (conflict.winner->lsn <= attempt.snapshot || winner == by_id_.end()) {
      Violate("answers",
              fmt::format("{} lost to entry {}, which its snapshot {} contains", intent.name,
                          conflict.winner->lsn.value, attempt.snapshot.value));
      return;
    }
    const std::deque<Attempt>& others = winner->second->attempts;
    const bool refused = std::ranges::all_of(
        others, [](const Attempt& other) { return other.fate == Attempt::Fate::kRefused; });
    if (refused && winner->second != &intent) {
      Violate("answers", fmt::format("{} lost to {}, which was refused itself", intent.name,
                                     winner->second->name));
      return;
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

// --- Logs ---

void Oracle::NoteLeader(Term term, ReplicaId at) {
  const ReplicaId first = leaders_.emplace(term, at).first->second;
  if (first != at) {
    Violate("raft",
            fmt::format("term {} has two leaders, {} and {}", term.value, first.value, at.value));
  }
}

void Oracle::OnAppended(ReplicaId at, Position position, const std::string& data) {
  NoteLeader(position.term, at);
  const Result<std::string> description = txn::DescribeEntry(data);
  trace_->Note("n{} appends {}@{} {}", at.value, position.lsn.value, position.term.value,
               description ? ActorIn(*description) : "?");
}

void Oracle::OnLeading(ReplicaId at, Term term, Lsn no_op) {
  ++totals_.leaderships;
  NoteLeader(term, at);
  trace_->Note("n{} leads in term {}, no-op {}", at.value, term.value, no_op.value);
}

void Oracle::OnFollowing(ReplicaId at, Term term, ReplicaId leader) {
  trace_->Note("n{} follows {} in term {}", at.value, leader.value, term.value);
}

void Oracle::OnFenced(ReplicaId at, const Error& reason) {
  Violate("raft", fmt::format("replica {} is fenced: {}", at.value, reason.ToString()));
}

void Oracle::OnBarrier(ReplicaId at, Lsn floor, Lsn answer) {
  if (answer < floor) {
    Violate("reads", fmt::format("n{}: a barrier at {} misses {}, which was committed before",
                                 at.value, answer.value, floor.value));
  }
}

void Oracle::OnCommitted(ReplicaId at, const consensus::Entry& entry) {
  const auto known = log_.find(entry.lsn);
  if (known != log_.end()) {
    if (known->second.term != entry.term || known->second.data != entry.data) {
      Violate("raft", fmt::format("n{} has another entry at {}", at.value, entry.lsn.value));
    }
    return;
  }
  if (!log_.empty() && entry.lsn != log_.rbegin()->first.Next()) {
    Violate("raft", fmt::format("n{} commits {} behind {}", at.value, entry.lsn.value,
                                log_.rbegin()->first.value));
    return;
  }
  ++step_;
  log_[entry.lsn] = {.term = entry.term, .data = entry.data, .intent = nullptr};
  trace_->Note("n{} commits {}@{}", at.value, entry.lsn.value, entry.term.value);
  Replay(entry);
}

void Oracle::Replay(const consensus::Entry& entry) {
  if (entry.type != consensus::EntryType::kNormal || entry.data.empty()) {
    model_.Skip(entry.lsn);
    return;
  }
  const Result<std::string> description = txn::DescribeEntry(entry.data);
  const auto actor = description ? by_actor_.find(ActorIn(*description)) : by_actor_.end();
  if (actor == by_actor_.end()) {
    Violate("answers", fmt::format("entry {} is nobody's", entry.lsn.value));
    return;
  }
  auto& [intent, number] = actor->second;
  ++totals_.committed;
  if (intent->lsn) {
    Violate("answers", fmt::format("{} is committed twice, at {} and {}", intent->name,
                                   intent->lsn->value, entry.lsn.value));
    return;
  }
  const Attempt& attempt = intent->attempts[number];
  if (attempt.fate != Attempt::Fate::kOpen && attempt.fate != Attempt::Fate::kUnknown) {
    Violate("answers", fmt::format("{} was answered before and is committed at {}", actor->first,
                                   entry.lsn.value));
    return;
  }
  intent->lsn = entry.lsn;
  intent->committed_attempt = number;
  log_[entry.lsn].intent = intent;
  if (const auto wrong = model_.Commit(intent->spec, attempt.snapshot, entry.lsn, judge_reads_)) {
    Violate("model", fmt::format("{} (snapshot {}) cannot be entry {}: {}", actor->first,
                                 attempt.snapshot.value, entry.lsn.value, *wrong));
  }
}

// --- Whole states and histories ---

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

void Oracle::CheckHistory() {
  std::vector<Happened> all;
  for (const auto& [lsn, committed] : log_) {
    if (committed.intent == nullptr) {
      continue;
    }
    const Intent& intent = *committed.intent;
    const Attempt& attempt = intent.attempts[intent.committed_attempt];
    all.push_back({.name = intent.name,
                   .spec = &intent.spec,
                   .snapshot = attempt.snapshot,
                   .lsn = lsn,
                   .began = attempt.began,
                   .answered = intent.answered});
  }
  if (const auto cycle = FindCycle(all, model_)) {
    Violate("graph", "no serial order: " + *cycle);
  }
}

}  // namespace quorate::sim
