#include "txn/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "txn/internal/entry_codec.h"

namespace quorate::txn {
namespace {

constexpr std::size_t kReadBytesMax = 4 << 20;
constexpr std::size_t kPageBytesMax = 64 << 20;  // Of log, once there is something to return.

struct MovesOf {
  RepositoryId repository;
  CommittedChange& out;

  void operator()(const internal::RefChange& change) const {
    if (change.repository == repository) {
      out.moves.push_back({.name = change.name, .before = change.before, .after = change.after});
    }
  }
  void operator()(const internal::HeadChange& change) const {
    if (change.repository == repository) {
      out.moves.push_back({.name = "HEAD", .before = change.before, .after = change.after});
    }
  }
  void operator()(const internal::ConfigChange& change) const {
    if (change.repository == repository) {
      out.configs.push_back({.name = change.name, .before = change.before, .after = change.after});
    }
  }
  template <class Other>
  void operator()(const Other& /*change*/) const {}  // Nothing that a consumer is told.
};

Result<CommittedChange> ChangeIn(const consensus::Entry& entry, RepositoryId repository) {
  CommittedChange change;
  change.lsn = entry.lsn;
  if (entry.type != consensus::EntryType::kNormal || entry.data.empty()) {
    return change;
  }
  internal::LogRecord record = QUORATE_TRY(internal::DecodeRecord(entry.data));
  for (const internal::Change& one : record.changes) {
    std::visit(MovesOf{repository, change}, one);
  }
  change.transaction_id = std::move(record.transaction_id);
  change.actor = std::move(record.actor);
  change.time_unix_micros = record.time_unix_micros;
  return change;
}

// kNotFound: the log begins behind the entry that comes after `after`.
Result<std::vector<CommittedChange>> ReadBehind(const log::LogStore& logs, const Snapshot& snapshot,
                                                RepositoryId repository, Lsn after,
                                                std::size_t count_max) {
  std::vector<CommittedChange> changes;
  const auto info = QUORATE_TRY(snapshot.FindRepository(repository));
  if (!info || info->ref_version <= after) {
    return changes;
  }
  std::size_t bytes = 0;
  for (Lsn next = after.Next(); next <= info->ref_version;) {
    const auto entries =
        QUORATE_TRY(logs.Read(snapshot.partition(), next, info->ref_version.Next(), kReadBytesMax));
    for (const consensus::Entry& entry : entries) {
      CommittedChange change = QUORATE_TRY(ChangeIn(entry, repository));
      bytes += entry.data.size();
      if (!change.moves.empty() || !change.configs.empty()) {
        changes.push_back(std::move(change));
      }
      if (changes.size() >= count_max || (bytes > kPageBytesMax && !changes.empty())) {
        return changes;
      }
    }
    next = entries.back().lsn.Next();
  }
  return changes;
}

}  // namespace

// What was dropped behind the position of a consumer did not change its repository, at the time.
// That holds for this position if the consumer still has it now.
Result<std::vector<CommittedChange>> ReadChanges(const log::LogStore& logs, const kv::Store& store,
                                                 const Snapshot& snapshot, const Consumer& consumer,
                                                 std::size_t count_max) {
  const RepositoryId repository = consumer.repository;
  Result<std::vector<CommittedChange>> changes =
      ReadBehind(logs, snapshot, repository, consumer.acknowledged, count_max);
  if (changes || changes.error().code() != Code::kNotFound) {
    return changes;
  }
  const Lsn dropped = QUORATE_TRY(logs.Load(snapshot.partition())).truncated.lsn;
  const Snapshot now = QUORATE_TRY(Snapshot::Take(snapshot.partition(), store));
  const Result<Consumer> still = FindFollowingConsumer(now, repository, consumer.name);
  if (!still || *still != consumer) {
    return Error(Code::kUnavailable,
                 fmt::format("consumer {} has moved on meanwhile", consumer.name));
  }
  auto rest =
      ReadBehind(logs, snapshot, repository, std::max(dropped, consumer.acknowledged), count_max);
  if (!rest && rest.error().code() == Code::kNotFound) {  // The log was cut once more.
    return Error(Code::kUnavailable, rest.error().message());
  }
  return rest;
}

}  // namespace quorate::txn
