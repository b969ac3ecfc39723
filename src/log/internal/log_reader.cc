#include "log/internal/log_reader.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace quorate::log::internal {

namespace {

using kv::Family;

// Decodes the record of one kind with `decode`; nothing if there is none.
template <class T>
Result<std::optional<T>> FindRecord(const kv::Reader& reader, PartitionId partition,
                                    RecordKind kind,
                                    Result<T> (*decode)(std::string_view, std::string_view)) {
  const std::string key = RecordKey(partition, kind);
  const std::optional<std::string> value = QUORATE_TRY(reader.Get(Family::kRaft, key));
  if (!value) {
    return std::optional<T>();
  }
  T record = QUORATE_TRY(decode(key, *value));
  return std::optional<T>(std::move(record));
}

// A record without which the partition's log makes no sense.
template <class T>
Result<T> ReadRecord(const kv::Reader& reader, PartitionId partition, RecordKind kind,
                     Result<T> (*decode)(std::string_view, std::string_view)) {
  std::optional<T> record = QUORATE_TRY(FindRecord<T>(reader, partition, kind, decode));
  if (!record) {
    return Error(Code::kCorruption, fmt::format("partition {}: record '{}' is missing",
                                                partition.value, static_cast<char>(kind)));
  }
  return *std::move(record);
}

Error Contradiction(PartitionId partition, std::string_view what, Lsn lsn, Lsn other) {
  return Error(Code::kCorruption, fmt::format("partition {}: {}: {} and {}", partition.value, what,
                                              lsn.value, other.value));
}

// The newest entry's position, or `truncated`. Every entry is read and checked.
Result<Position> CheckEntries(const kv::Reader& reader, PartitionId partition, Position truncated) {
  Position last = truncated;
  const auto it = reader.NewIterator(Family::kLog, EntryKey(partition, truncated.lsn.Next()),
                                     EntryKeyEnd(partition));
  for (; it->Valid(); it->Next()) {
    const consensus::Entry entry = QUORATE_TRY(DecodeEntry(it->key(), it->value()));
    if (entry.lsn != last.lsn.Next()) {
      return Contradiction(partition, "gap in the log between", last.lsn, entry.lsn);
    }
    if (entry.term < last.term) {
      return Contradiction(partition, "terms fall between entries", last.lsn, entry.lsn);
    }
    last = entry.position();
  }
  QUORATE_TRY(it->status());
  return last;
}

Result<bool> HasEntry(const kv::Reader& reader, PartitionId partition, Lsn lsn) {
  const auto value = QUORATE_TRY(reader.Get(Family::kLog, EntryKey(partition, lsn)));
  return value.has_value();
}

}  // namespace

Result<std::optional<Position>> FindTruncated(const kv::Reader& reader, PartitionId partition) {
  return FindRecord<Position>(reader, partition, RecordKind::kTruncated, DecodeTruncated);
}

Result<std::optional<Tail>> FindTail(const kv::Reader& reader, PartitionId partition) {
  const std::optional<Position> truncated = QUORATE_TRY(FindTruncated(reader, partition));
  if (!truncated) {
    return std::optional<Tail>();
  }
  Lsn present = truncated->lsn;  // There, or where the log begins.
  std::uint64_t step = 1;
  while (QUORATE_TRY(HasEntry(reader, partition, Lsn{present.value + step}))) {
    present.value += step;
    step *= 2;
  }
  Lsn absent{present.value + step};
  while (absent.value - present.value > 1) {
    const Lsn middle{present.value + (absent.value - present.value) / 2};
    const bool found = QUORATE_TRY(HasEntry(reader, partition, middle));
    (found ? present : absent) = middle;
  }
  return std::optional(Tail{.truncated = truncated->lsn, .last = present});
}

Result<StoredLog> LoadStoredLog(const kv::Reader& reader, PartitionId partition) {
  const std::optional<Identity> identity =
      QUORATE_TRY(FindRecord<Identity>(reader, partition, RecordKind::kIdentity, DecodeIdentity));
  if (!identity) {
    return Error(Code::kNotFound, fmt::format("partition {} has no replica here", partition.value));
  }
  StoredLog stored;
  stored.identity = *identity;
  stored.hard_state = QUORATE_TRY(
      ReadRecord<consensus::HardState>(reader, partition, RecordKind::kHardState, DecodeHardState));
  ConfStateRecord conf = QUORATE_TRY(
      ReadRecord<ConfStateRecord>(reader, partition, RecordKind::kConfState, DecodeConfState));
  stored.conf_state = std::move(conf.conf_state);
  stored.conf_state_lsn = conf.lsn;
  stored.truncated =
      QUORATE_TRY(ReadRecord<Position>(reader, partition, RecordKind::kTruncated, DecodeTruncated));

  const Position last = QUORATE_TRY(CheckEntries(reader, partition, stored.truncated));
  stored.last = last.lsn;
  if (stored.hard_state.commit > last.lsn) {
    return Contradiction(partition, "committed beyond the last entry", stored.hard_state.commit,
                         last.lsn);
  }
  if (stored.hard_state.term < last.term) {
    return Contradiction(partition, "current term below the last entry's",
                         Lsn{stored.hard_state.term.value}, Lsn{last.term.value});
  }
  if (stored.conf_state_lsn > last.lsn) {
    return Contradiction(partition, "configuration from beyond the last entry",
                         stored.conf_state_lsn, last.lsn);
  }
  return stored;
}

}  // namespace quorate::log::internal
