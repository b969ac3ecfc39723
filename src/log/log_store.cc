#include "log/log_store.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "log/internal/log_reader.h"
#include "log/internal/log_writer.h"
#include "log/internal/records.h"

namespace quorate::log {

namespace {

using internal::EntryKey;
using internal::RecordKey;
using internal::RecordKind;
using kv::Family;

void PutHardState(PartitionId partition, const consensus::HardState& hard_state,
                  kv::WriteBatch& batch) {
  std::string key = RecordKey(partition, RecordKind::kHardState);
  std::string value = internal::EncodeHardState(key, hard_state);
  batch.Put(Family::kRaft, std::move(key), std::move(value));
}

void PutConfState(PartitionId partition, Lsn lsn, std::string_view conf_state,
                  kv::WriteBatch& batch) {
  std::string key = RecordKey(partition, RecordKind::kConfState);
  std::string value = internal::EncodeConfState(key, lsn, conf_state);
  batch.Put(Family::kRaft, std::move(key), std::move(value));
}

Error NotInLog(PartitionId partition, Lsn lsn) {
  return Error(Code::kNotFound,
               fmt::format("partition {}: no entry {} here", partition.value, lsn.value));
}

}  // namespace

LogStore::LogStore(kv::Store& store, std::unique_ptr<env::Strand> writer, LogStoreOptions options,
                   env::Logger& logger, env::Metrics& metrics)
    : store_(store),
      writer_(
          std::make_shared<Writer>(store, std::move(writer), std::move(options), logger, metrics)) {
}

LogStore::~LogStore() {
  writer_->Close();
}

Status LogStore::Bootstrap(PartitionId partition, const Identity& identity,
                           std::string conf_state) {
  const std::optional<ReplicaId> tombstone = QUORATE_TRY(FindTombstone(partition));
  if (tombstone) {
    return Error(Code::kAlreadyExists,
                 fmt::format("partition {} was here, as replica {}, and was removed",
                             partition.value, tombstone->value));
  }
  return Create(partition, identity, kBootstrapPosition, std::move(conf_state));
}

Status LogStore::Join(PartitionId partition, const Identity& identity) {
  const std::optional<ReplicaId> tombstone = QUORATE_TRY(FindTombstone(partition));
  if (tombstone && *tombstone >= identity.replica) {
    return Error(Code::kAlreadyExists,
                 fmt::format("partition {}: replica {} is not newer than replica {}, which was "
                             "removed here",
                             partition.value, identity.replica.value, tombstone->value));
  }
  return Create(partition, identity, Position{}, "");
}

Status LogStore::Create(PartitionId partition, const Identity& identity, Position start,
                        std::string conf_state) {
  std::string key = RecordKey(partition, RecordKind::kIdentity);
  const std::optional<std::string> stored = QUORATE_TRY(store_.Get(Family::kRaft, key));
  if (stored) {
    return Error(Code::kAlreadyExists,
                 fmt::format("partition {} has a replica here", partition.value));
  }
  kv::WriteBatch batch;
  std::string value = internal::EncodeIdentity(key, identity);
  batch.Put(Family::kRaft, std::move(key), std::move(value));
  PutHardState(partition, {.term = start.term, .vote = {}, .commit = start.lsn}, batch);
  PutConfState(partition, start.lsn, conf_state, batch);
  key = RecordKey(partition, RecordKind::kTruncated);
  value = internal::EncodeTruncated(key, start);
  batch.Put(Family::kRaft, std::move(key), std::move(value));
  return writer_->WriteNow(partition, std::move(batch), /*drop_queued=*/false);
}

Result<StoredLog> LogStore::Load(PartitionId partition) const {
  const std::shared_ptr<const kv::Snapshot> snapshot = store_.TakeSnapshot();
  return internal::LoadStoredLog(*snapshot, partition);
}

Result<std::vector<PartitionId>> LogStore::Partitions() const {
  std::vector<PartitionId> partitions;
  const auto it = store_.NewIterator(Family::kRaft, "", std::string(16, '\xff'));
  for (; it->Valid(); it->Next()) {
    const internal::ParsedRecordKey key = QUORATE_TRY(internal::ParseRecordKey(it->key()));
    if (key.kind == static_cast<char>(RecordKind::kIdentity)) {
      partitions.push_back(key.partition);
    }
  }
  QUORATE_TRY(it->status());
  return partitions;
}

Status LogStore::Destroy(PartitionId partition) {
  const std::string identity_key = RecordKey(partition, RecordKind::kIdentity);
  const std::optional<std::string> stored = QUORATE_TRY(store_.Get(Family::kRaft, identity_key));
  if (!stored) {
    const std::optional<ReplicaId> tombstone = QUORATE_TRY(FindTombstone(partition));
    return tombstone ? Ok()
                     : Error(Code::kNotFound,
                             fmt::format("partition {} has no replica here", partition.value));
  }
  const Identity identity = QUORATE_TRY(internal::DecodeIdentity(identity_key, *stored));
  kv::WriteBatch batch;
  batch.DeleteRange(Family::kLog, EntryKey(partition, Lsn{0}), internal::EntryKeyEnd(partition));
  for (const RecordKind kind : {RecordKind::kConfState, RecordKind::kHardState,
                                RecordKind::kIdentity, RecordKind::kTruncated}) {
    batch.Delete(Family::kRaft, RecordKey(partition, kind));
  }
  std::string key = RecordKey(partition, RecordKind::kTombstone);
  std::string value = internal::EncodeTombstone(key, identity.replica);
  batch.Put(Family::kRaft, std::move(key), std::move(value));
  return writer_->WriteNow(partition, std::move(batch), /*drop_queued=*/true);
}

Result<std::optional<ReplicaId>> LogStore::FindTombstone(PartitionId partition) const {
  const std::string key = RecordKey(partition, RecordKind::kTombstone);
  const std::optional<std::string> value = QUORATE_TRY(store_.Get(Family::kRaft, key));
  if (!value) {
    return std::optional<ReplicaId>();
  }
  const ReplicaId replica = QUORATE_TRY(internal::DecodeTombstone(key, *value));
  return std::optional(replica);
}

// Encodes here, on the caller's thread, so that the one writer only moves what it is given.
void LogStore::Persist(PersistRequest request, env::Strand& strand, Callback<> done) {
  Writer::Item item{.partition = request.partition,
                    .sync = request.must_sync,
                    .strand = &strand,
                    .done = std::move(done)};
  if (request.checkpoint) {
    item.reset = request.checkpoint->position;
    PutConfState(request.partition, request.checkpoint->position.lsn,
                 request.checkpoint->conf_state, item.changes);
  }
  if (!request.entries.empty()) {
    item.entries = {request.entries.front().lsn, request.entries.back().lsn};
  }
  Lsn expected = request.entries.empty() ? Lsn{} : request.entries.front().lsn;
  for (const consensus::Entry& entry : request.entries) {
    QUORATE_CHECK(entry.lsn == expected);
    expected = expected.Next();
    std::string key = EntryKey(request.partition, entry.lsn);
    std::string value = internal::EncodeEntry(key, entry);
    item.changes.Put(Family::kLog, std::move(key), std::move(value));
  }
  if (request.hard_state) {
    PutHardState(request.partition, *request.hard_state, item.changes);
  }
  item.changes.Append(std::move(request.with));
  writer_->Enqueue(std::move(item));
}

Result<std::vector<consensus::Entry>> LogStore::Read(PartitionId partition, Lsn lo, Lsn hi,
                                                     std::size_t bytes_max) const {
  QUORATE_CHECK(lo < hi);
  std::vector<consensus::Entry> entries;
  std::size_t bytes = 0;
  Lsn expected = lo;
  const auto it =
      store_.NewIterator(Family::kLog, EntryKey(partition, lo), EntryKey(partition, hi));
  for (; it->Valid() && (entries.empty() || bytes < bytes_max); it->Next()) {
    consensus::Entry entry = QUORATE_TRY(internal::DecodeEntry(it->key(), it->value()));
    if (entry.lsn != expected) {
      const auto truncated = QUORATE_TRY(internal::FindTruncated(store_, partition));
      return truncated && expected <= truncated->lsn
                 ? NotInLog(partition, expected)
                 : Error(Code::kCorruption, fmt::format("partition {}: entry {} is missing",
                                                        partition.value, expected.value));
    }
    expected = expected.Next();
    bytes += entry.data.size();
    entries.push_back(std::move(entry));
  }
  QUORATE_TRY(it->status());
  if (entries.empty()) {
    return NotInLog(partition, lo);
  }
  return entries;
}

Status LogStore::ForEachSize(PartitionId partition, Lsn lo, Lsn hi,
                             const std::function<void(std::size_t bytes)>& visit) const {
  Lsn expected = lo;
  const auto it =
      store_.NewIterator(Family::kLog, EntryKey(partition, lo), EntryKey(partition, hi));
  for (; it->Valid() && internal::LsnOfEntryKey(it->key()) == expected; it->Next()) {
    visit(it->key().size() + it->value().size());
    expected = expected.Next();
  }
  QUORATE_TRY(it->status());
  return expected < hi ? NotInLog(partition, expected) : Ok();
}

Result<Term> LogStore::TermAt(PartitionId partition, Lsn lsn) const {
  const std::string key = EntryKey(partition, lsn);
  const std::optional<std::string> value = QUORATE_TRY(store_.Get(Family::kLog, key));
  if (value) {
    const consensus::Entry entry = QUORATE_TRY(internal::DecodeEntry(key, *value));
    return entry.term;
  }
  const std::optional<Position> truncated = QUORATE_TRY(internal::FindTruncated(store_, partition));
  if (truncated && truncated->lsn == lsn) {
    return truncated->term;
  }
  return NotInLog(partition, lsn);
}

void LogStore::TruncatePrefix(PartitionId partition, Position upto) {
  writer_->Enqueue({.partition = partition, .truncate = upto});
}

void LogStore::SaveConfState(PartitionId partition, const consensus::HardState& hard_state,
                             std::string conf_state, Lsn lsn) {
  kv::WriteBatch changes;
  PutHardState(partition, hard_state, changes);
  PutConfState(partition, lsn, conf_state, changes);
  writer_->Enqueue({.partition = partition, .changes = std::move(changes)});
}

LogStore::Totals LogStore::totals() const {
  return writer_->totals();
}

}  // namespace quorate::log
