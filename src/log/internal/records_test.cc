#include "log/internal/records.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace quorate::log::internal {
namespace {

constexpr PartitionId kPartition{7};

// The bytes of docs/formats/log.md. If this fails, stores in the field become unreadable.
TEST(RecordsTest, BytesAreTheDocumentedOnes) {
  const std::string entry_key = EntryKey(kPartition, Lsn{6});
  EXPECT_EQ(HexEncode(entry_key), "00000000000000070000000000000006");
  EXPECT_EQ(HexEncode(EncodeEntry(entry_key, {.lsn = Lsn{6}, .term = Term{2}, .data = "hello"})),
            "0100000000000000000268656c6c6f73f9fbaf");

  const std::string identity_key = RecordKey(kPartition, RecordKind::kIdentity);
  EXPECT_EQ(HexEncode(identity_key), "000000000000000749");
  EXPECT_EQ(HexEncode(EncodeIdentity(identity_key, {.replica = ReplicaId{1}, .incarnation = 99})),
            "0100000000000000010000000000000063881bcc11");
}

TEST(RecordsTest, EntriesOfEveryTypeComeBack) {
  for (const auto type : {consensus::EntryType::kNormal, consensus::EntryType::kConfChange,
                          consensus::EntryType::kConfChangeV2}) {
    const consensus::Entry entry{
        .lsn = Lsn{9}, .term = Term{1ULL << 40}, .type = type, .data = std::string("\0\xff", 2)};
    const std::string key = EntryKey(kPartition, entry.lsn);
    EXPECT_EQ(DecodeEntry(key, EncodeEntry(key, entry)).value(), entry);
  }
}

TEST(RecordsTest, UnknownVersionAndMisplacedRecordAreNamed) {
  const std::string key = EntryKey(kPartition, Lsn{6});
  const std::string value = EncodeEntry(key, {.lsn = Lsn{6}, .term = Term{2}, .data = {}});
  const Error misplaced = DecodeEntry(EntryKey(kPartition, Lsn{7}), value).error();
  EXPECT_EQ(misplaced.code(), Code::kCorruption);
  EXPECT_EQ(misplaced.message(), "record 00000000000000070000000000000007: checksum mismatch");

  // Version 2 with a good checksum.
  const Error newer = DecodeEntry(key, *HexDecode("02000000000000000002fe69fee9")).error();
  EXPECT_EQ(newer.code(), Code::kCorruption);
  EXPECT_EQ(newer.message(), "record 00000000000000070000000000000006: unknown version 2");
}

TEST(RecordsTest, KeysSortByPartitionThenLsn) {
  EXPECT_LT(EntryKey(kPartition, Lsn{255}), EntryKey(kPartition, Lsn{256}));
  EXPECT_LT(EntryKey(kPartition, Lsn{~0ULL}), EntryKeyEnd(kPartition));
  EXPECT_LT(RecordKey(kPartition, RecordKind::kTombstone), RecordKeyEnd(kPartition));
  EXPECT_LE(RecordKeyEnd(kPartition), RecordKey(kPartition.Next(), RecordKind::kConfState));
}

}  // namespace
}  // namespace quorate::log::internal
