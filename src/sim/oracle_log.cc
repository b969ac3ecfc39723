// What logs tell the oracle, and the history that they make together.
#include <fmt/format.h>

#include <utility>

#include "sim/judge.h"
#include "sim/oracle.h"
#include "sim/serial_graph.h"
#include "txn/testing/peek.h"

namespace quorate::sim {

void Oracle::NoteLeader(Term term, ReplicaId at) {
  const ReplicaId first = leaders_.emplace(term, at).first->second;
  if (first != at) {
    Violate("raft",
            fmt::format("term {} has two leaders, {} and {}", term.value, first.value, at.value));
  }
}

// Without an id if it is nobody's.
Refusals::Writer Oracle::WriterOf(const std::string& data) const {
  const std::optional<txn::EntryOrigin> origin = txn::OriginOf(data);
  if (!origin) {
    return {};
  }
  if (origin->cut_off) {
    return {.id = origin->transaction_id,
            .consumer_key = ConsumerKey(origin->cut_off->repository, origin->cut_off->name)};
  }
  const auto actor = by_actor_.find(origin->actor);
  return actor == by_actor_.end() ? Refusals::Writer()
                                  : Refusals::Writer{.id = origin->transaction_id,
                                                     .spec = &actor->second.first->spec,
                                                     .consumer_key = {}};
}

void Oracle::OnAppended(ReplicaId at, Position position, const std::string& data) {
  NoteLeader(position.term, at);
  const std::optional<txn::EntryOrigin> origin = txn::OriginOf(data);
  trace_->Note("n{} appends {}@{} {}", at.value, position.lsn.value, position.term.value,
               origin ? origin->actor : "?");
  refusals_.NoteAppended(at, position.lsn, WriterOf(data));
}

void Oracle::OnLeading(ReplicaId at, Term term, Lsn no_op) {
  ++totals_.leaderships;
  NoteLeader(term, at);
  refusals_.NoteLeadership(at);
  trace_->Note("n{} leads in term {}, no-op {}", at.value, term.value, no_op.value);
}

void Oracle::OnFollowing(ReplicaId at, Term term, ReplicaId leader) {
  refusals_.NoteLeadership(at);
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
  refusals_.NoteDelivered(at, entry.lsn);
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
  log_[entry.lsn] = {.term = entry.term, .data = entry.data};
  trace_->Note("n{} commits {}@{}", at.value, entry.lsn.value, entry.term.value);
  Replay(entry);
}

void Oracle::Replay(const consensus::Entry& entry) {
  if (entry.type != consensus::EntryType::kNormal || entry.data.empty()) {
    refusals_.NoteCommitted(entry.lsn, std::nullopt);
    model_.Skip(entry.lsn);
    return;
  }
  const Refusals::Writer writer = WriterOf(entry.data);
  refusals_.NoteCommitted(entry.lsn, writer);
  if (!writer.consumer_key.empty()) {
    ReplayCutOff(entry.lsn, writer);
    return;
  }
  const std::optional<txn::EntryOrigin> origin = txn::OriginOf(entry.data);
  const auto actor = origin ? by_actor_.find(origin->actor) : by_actor_.end();
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
  intent->refs_left_out =
      Judge(model_, intent->spec, attempt.snapshot, model_.lsn(), false).refs_left_out;
  if (const auto wrong =
          model_.Commit(intent->spec, attempt.snapshot, entry.lsn, rules_.judge_reads)) {
    Violate("model", fmt::format("{} (snapshot {}) cannot be entry {}: {}", actor->first,
                                 attempt.snapshot.value, entry.lsn.value, *wrong));
  }
}

void Oracle::ReplayCutOff(Lsn lsn, const Refusals::Writer& writer) {
  ++totals_.cut_off;
  log_[lsn].cuts_off = true;
  if (const auto wrong = model_.CutOff(writer.consumer_key, lsn, rules_.consumer_entries_max)) {
    Violate("consumers", fmt::format("entry {}: {}", lsn.value, *wrong));
  }
}

void Oracle::CheckHistory() {
  static const Spec kCutOff;
  std::vector<Happened> all;
  for (const auto& [lsn, committed] : log_) {
    if (committed.cuts_off) {
      all.push_back({.name = "cut-off", .spec = &kCutOff, .snapshot = lsn, .lsn = lsn});
    }
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
