// The bytes of a partition's log and Raft state in the store: docs/formats/log.md.
//
// Every value begins with a version and ends with a CRC-32C over its key and itself, so that damage
// and misplaced records are found (kCorruption), also a version that this binary does not know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "consensus/entry.h"
#include "log/log_store.h"

namespace quorate::log::internal {

// Family kLog. Keys sort by partition, then by LSN.
std::string EntryKey(PartitionId partition, Lsn lsn);
// Behind every entry of the partition.
std::string EntryKeyEnd(PartitionId partition);
// REQUIRES: `key` begins with an EntryKey's 16 bytes.
Lsn LsnOfEntryKey(std::string_view key);

std::string EncodeEntry(std::string_view key, const consensus::Entry& entry);
Result<consensus::Entry> DecodeEntry(std::string_view key, std::string_view value);

// Family kRaft. One record of each kind for a partition.
enum class RecordKind : char {
  kConfState = 'C',
  kHardState = 'H',
  kIdentity = 'I',
  kTruncated = 'T',
  kTombstone = 'X',  // Alone: the replica is gone.
};

std::string RecordKey(PartitionId partition, RecordKind kind);
std::string RecordKeyEnd(PartitionId partition);

struct ParsedRecordKey {
  PartitionId partition;
  char kind;
};
Result<ParsedRecordKey> ParseRecordKey(std::string_view key);

struct ConfStateRecord {
  Lsn lsn;
  std::string conf_state;
};

// Each Encode names its key, which the checksum covers.
std::string EncodeIdentity(std::string_view key, const Identity& identity);
std::string EncodeHardState(std::string_view key, const consensus::HardState& hard_state);
std::string EncodeConfState(std::string_view key, Lsn lsn, std::string_view conf_state);
std::string EncodeTruncated(std::string_view key, Position truncated);
std::string EncodeTombstone(std::string_view key, ReplicaId replica);

Result<Identity> DecodeIdentity(std::string_view key, std::string_view value);
Result<consensus::HardState> DecodeHardState(std::string_view key, std::string_view value);
Result<ConfStateRecord> DecodeConfState(std::string_view key, std::string_view value);
Result<Position> DecodeTruncated(std::string_view key, std::string_view value);
Result<ReplicaId> DecodeTombstone(std::string_view key, std::string_view value);

}  // namespace quorate::log::internal
