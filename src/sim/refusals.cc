#include "sim/refusals.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::sim {
namespace {

std::string KeyOf(const txn::ConflictKey& key) {
  using Kind = txn::ConflictKey::Kind;
  switch (key.kind) {
    case Kind::kRef:
      return RefKey(key.repository, key.name);
    case Kind::kHead:
      return HeadKey(key.repository);
    case Kind::kRepository:
      return RepositoryKey(key.repository);
    case Kind::kKey:
      return UserKey(key.name);
    case Kind::kConfig:
      return ConfigKey(key.repository, key.name);
    case Kind::kConsumer:
      return ConsumerKey(key.repository, key.name);
  }
  return {};
}

}  // namespace

bool Refusals::Writer::MayWrite(std::string_view key) const {
  return spec != nullptr ? spec->MayWrite(key) : key == consumer_key;
}

void Refusals::NoteAppended(ReplicaId at, Lsn lsn, Writer writer) {
  views_[at].appended.insert_or_assign(lsn, std::move(writer));
}

void Refusals::NoteLeadership(ReplicaId at) {
  views_[at].appended.clear();
}

void Refusals::NoteCommitted(Lsn lsn, std::optional<Writer> writer) {
  committed_.emplace(lsn, std::move(writer));
}

void Refusals::NoteDelivered(ReplicaId at, Lsn lsn) {
  View& view = views_[at];
  view.delivered = lsn;
  view.appended.erase(view.appended.begin(), view.appended.upper_bound(lsn));
}

std::optional<std::string> Refusals::FindWrong(const Spec& loser, ReplicaId at, Lsn snapshot,
                                               const Error& error) const {
  const txn::SnapshotTooOld* old = txn::SnapshotTooOldOf(error);
  const txn::Conflicts* conflicts = txn::ConflictOf(error);
  if ((old != nullptr) == (conflicts != nullptr)) {
    return "a conflict without its data";
  }
  if (old != nullptr) {
    const bool right = old->snapshot == snapshot && old->floor > snapshot &&
                       old->floor <= model_.lsn() && !loser.only_reads();
    return right
               ? std::nullopt
               : std::optional(fmt::format("a snapshot at {} is said to be one at {}, too old "
                                           "because of the floor {}",
                                           snapshot.value, old->snapshot.value, old->floor.value));
  }
  for (const txn::Conflict& conflict : conflicts->all) {
    if (auto wrong = FindWrong(loser, at, snapshot, conflict)) {
      return wrong;
    }
  }
  return conflicts->all.empty() ? std::optional<std::string>("a conflict over nothing")
                                : std::nullopt;
}

std::optional<std::string> Refusals::FindWrong(const Spec& loser, ReplicaId at, Lsn snapshot,
                                               const txn::Conflict& conflict) const {
  const std::string key = KeyOf(conflict.key);
  auto wrong = conflict.winner ? CheckWinner(at, snapshot, key, conflict)
                               : CheckAlone(loser, snapshot, key, conflict);
  return wrong ? std::optional(conflict.ToString() + ": " + *wrong) : std::nullopt;
}

std::optional<std::string> Refusals::CheckWinner(ReplicaId at, Lsn snapshot, const std::string& key,
                                                 const txn::Conflict& conflict) const {
  const txn::Conflict::Winner& winner = *conflict.winner;
  if (winner.lsn <= snapshot) {
    return fmt::format("the snapshot {} contains the winner", snapshot.value);
  }
  const auto committed = committed_.find(winner.lsn);
  if (committed != committed_.end() && committed->second &&
      committed->second->id == winner.transaction.bytes) {
    if (model_.WriterAt(key, winner.lsn) != winner.lsn) {
      return "the winner did not write that";
    }
    using Kind = txn::ConflictKey::Kind;
    const bool shown = conflict.kind == txn::Conflict::Kind::kValueChanged &&
                       (conflict.key.kind == Kind::kRef || conflict.key.kind == Kind::kHead);
    const Value value = model_.ValueAt(key, winner.lsn);
    if (shown && TextOf(conflict.found) != value.value_or("none")) {
      return "the winner wrote " + value.value_or("none");
    }
    return std::nullopt;
  }
  // In flight, as far as this replica knows.
  const auto view = views_.find(at);
  if (view == views_.end()) {
    return "nobody appended the winner";
  }
  const auto appended = view->second.appended.find(winner.lsn);
  if (appended == view->second.appended.end() || appended->second.id != winner.transaction.bytes) {
    return "the winner is not there";
  }
  return appended->second.MayWrite(key) ? std::nullopt
                                        : std::optional<std::string>("the winner wants other keys");
}

// The snapshot has it so, or the loser is in its own way.
std::optional<std::string> Refusals::CheckAlone(const Spec& loser, Lsn snapshot,
                                                const std::string& key,
                                                const txn::Conflict& conflict) const {
  const bool anew = loser.Creates(conflict.key.repository);
  const Value seen = anew ? Value() : model_.ValueAt(key, snapshot);
  switch (conflict.kind) {
    case txn::Conflict::Kind::kValueChanged: {
      const std::optional<Value> expected = loser.ExpectationOf(key);
      const bool right = expected && (anew || *expected != seen);
      return right ? std::nullopt : std::optional<std::string>("the snapshot has what is expected");
    }
    case txn::Conflict::Kind::kNameConflict:
      return seen || loser.MayWrite(key) ? std::nullopt
                                         : std::optional<std::string>("nothing has that name");
    case txn::Conflict::Kind::kRepositoryExists:
      return model_.ValueAt(key, snapshot) ? std::nullopt
                                           : std::optional<std::string>("it does not exist");
    case txn::Conflict::Kind::kReadChanged:
    case txn::Conflict::Kind::kRepositoryGone:
      break;
  }
  return "nobody won";
}

}  // namespace quorate::sim
