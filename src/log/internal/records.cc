#include "log/internal/records.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace quorate::log::internal {

namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kEntryKeyBytes = 2 * kNumberBytes;
constexpr std::size_t kRecordKeyBytes = kNumberBytes + 1;
constexpr std::size_t kEntryHeadBytes = 1 + kNumberBytes;  // Behind the version: type and term.

Error Damaged(std::string_view key, std::string_view what) {
  return Error(Code::kCorruption, fmt::format("record {}: {}", HexEncode(key), what));
}

std::string Begin(std::size_t body_bytes) {
  std::string value;
  value.reserve(1 + body_bytes + kChecksumBytes);
  value.push_back(kVersion);
  return value;
}

std::string Seal(std::string_view key, std::string value) {
  AppendBigEndian32(value, Crc32c(value, Crc32c(key)));
  return value;
}

std::string SealNumbers(std::string_view key, std::initializer_list<std::uint64_t> numbers) {
  std::string value = Begin(numbers.size() * kNumberBytes);
  for (const std::uint64_t number : numbers) {
    AppendBigEndian64(value, number);
  }
  return Seal(key, std::move(value));
}

// What stands between version and checksum.
Result<std::string_view> Open(std::string_view key, std::string_view value) {
  if (value.size() < 1 + kChecksumBytes) {
    return Damaged(key, "too short");
  }
  const std::string_view body = value.substr(0, value.size() - kChecksumBytes);
  if (Crc32c(body, Crc32c(key)) != ReadBigEndian32(value.substr(body.size()))) {
    return Damaged(key, "checksum mismatch");
  }
  if (body[0] != kVersion) {
    return Damaged(key, fmt::format("unknown version {}", static_cast<unsigned char>(body[0])));
  }
  return body.substr(1);
}

Result<std::string_view> OpenSized(std::string_view key, std::string_view value,
                                   std::size_t numbers) {
  const std::string_view body = QUORATE_TRY(Open(key, value));
  if (body.size() != numbers * kNumberBytes) {
    return Damaged(key, "wrong size");
  }
  return body;
}

std::uint64_t NumberAt(std::string_view body, std::size_t index) {
  return ReadBigEndian64(body.substr(index * kNumberBytes));
}

}  // namespace

std::string EntryKey(PartitionId partition, Lsn lsn) {
  std::string key;
  key.reserve(kEntryKeyBytes);
  AppendBigEndian64(key, partition.value);
  AppendBigEndian64(key, lsn.value);
  return key;
}

std::string EntryKeyEnd(PartitionId partition) {
  return EntryKey(partition.Next(), Lsn{0});
}

Lsn LsnOfEntryKey(std::string_view key) {
  QUORATE_CHECK(key.size() >= kEntryKeyBytes);
  return Lsn{ReadBigEndian64(key.substr(kNumberBytes))};
}

std::string EncodeEntry(std::string_view key, const consensus::Entry& entry) {
  std::string value = Begin(kEntryHeadBytes + entry.data.size());
  value.push_back(static_cast<char>(entry.type));
  AppendBigEndian64(value, entry.term.value);
  value.append(entry.data);
  return Seal(key, std::move(value));
}

Result<consensus::Entry> DecodeEntry(std::string_view key, std::string_view value) {
  if (key.size() != kEntryKeyBytes) {
    return Damaged(key, "not the key of an entry");
  }
  const std::string_view body = QUORATE_TRY(Open(key, value));
  if (body.size() < kEntryHeadBytes) {
    return Damaged(key, "too short");
  }
  const auto type = static_cast<unsigned char>(body[0]);
  if (type > static_cast<unsigned char>(consensus::EntryType::kConfChangeV2)) {
    return Damaged(key, fmt::format("unknown entry type {}", type));
  }
  return consensus::Entry{.lsn = LsnOfEntryKey(key),
                          .term = Term{ReadBigEndian64(body.substr(1))},
                          .type = static_cast<consensus::EntryType>(type),
                          .data = std::string(body.substr(kEntryHeadBytes))};
}

std::string RecordKey(PartitionId partition, RecordKind kind) {
  std::string key;
  key.reserve(kRecordKeyBytes);
  AppendBigEndian64(key, partition.value);
  key.push_back(static_cast<char>(kind));
  return key;
}

std::string RecordKeyEnd(PartitionId partition) {
  std::string key;
  AppendBigEndian64(key, partition.value + 1);
  return key;
}

Result<ParsedRecordKey> ParseRecordKey(std::string_view key) {
  if (key.size() != kRecordKeyBytes) {
    return Damaged(key, "not the key of a Raft record");
  }
  return ParsedRecordKey{.partition = PartitionId{ReadBigEndian64(key)}, .kind = key.back()};
}

std::string EncodeIdentity(std::string_view key, const Identity& identity) {
  return SealNumbers(key, {identity.replica.value, identity.incarnation});
}

std::string EncodeHardState(std::string_view key, const consensus::HardState& hard_state) {
  return SealNumbers(key, {hard_state.term.value, hard_state.vote.value, hard_state.commit.value});
}

std::string EncodeConfState(std::string_view key, Lsn lsn, std::string_view conf_state) {
  std::string value = Begin(kNumberBytes + conf_state.size());
  AppendBigEndian64(value, lsn.value);
  value.append(conf_state);
  return Seal(key, std::move(value));
}

std::string EncodeTruncated(std::string_view key, Position truncated) {
  return SealNumbers(key, {truncated.lsn.value, truncated.term.value});
}

std::string EncodeTombstone(std::string_view key, ReplicaId replica) {
  return SealNumbers(key, {replica.value});
}

Result<Identity> DecodeIdentity(std::string_view key, std::string_view value) {
  const std::string_view body = QUORATE_TRY(OpenSized(key, value, 2));
  return Identity{.replica = ReplicaId{NumberAt(body, 0)}, .incarnation = NumberAt(body, 1)};
}

Result<consensus::HardState> DecodeHardState(std::string_view key, std::string_view value) {
  const std::string_view body = QUORATE_TRY(OpenSized(key, value, 3));
  return consensus::HardState{.term = Term{NumberAt(body, 0)},
                              .vote = ReplicaId{NumberAt(body, 1)},
                              .commit = Lsn{NumberAt(body, 2)}};
}

Result<ConfStateRecord> DecodeConfState(std::string_view key, std::string_view value) {
  const std::string_view body = QUORATE_TRY(Open(key, value));
  if (body.size() < kNumberBytes) {
    return Damaged(key, "too short");
  }
  return ConfStateRecord{.lsn = Lsn{NumberAt(body, 0)},
                         .conf_state = std::string(body.substr(kNumberBytes))};
}

Result<Position> DecodeTruncated(std::string_view key, std::string_view value) {
  const std::string_view body = QUORATE_TRY(OpenSized(key, value, 2));
  return Position{.lsn = Lsn{NumberAt(body, 0)}, .term = Term{NumberAt(body, 1)}};
}

Result<ReplicaId> DecodeTombstone(std::string_view key, std::string_view value) {
  const std::string_view body = QUORATE_TRY(OpenSized(key, value, 1));
  return ReplicaId{NumberAt(body, 0)};
}

}  // namespace quorate::log::internal
