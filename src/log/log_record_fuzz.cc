// Stored bytes that may be anything: decoding never crashes, and what it accepts encodes to the
// same bytes. Input: one byte that picks the record, one with the key's size, the key, the value;
// when the first byte's top bit is set, the value's checksum is put right first, so that what lies
// behind it is reached too.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "log/internal/records.h"

namespace quorate::log::internal {
namespace {

void MendChecksum(std::string_view key, std::string& value) {
  if (value.size() >= 4) {
    value.resize(value.size() - 4);
    AppendBigEndian32(value, Crc32c(value, Crc32c(key)));
  }
}

void Decode(unsigned kind, std::string_view key, std::string_view value) {
  if (kind == 0) {
    if (const auto entry = DecodeEntry(key, value)) {
      QUORATE_CHECK(EncodeEntry(key, *entry) == value);
    }
  } else if (kind == 1) {
    if (const auto identity = DecodeIdentity(key, value)) {
      QUORATE_CHECK(EncodeIdentity(key, *identity) == value);
    }
  } else if (kind == 2) {
    if (const auto hard_state = DecodeHardState(key, value)) {
      QUORATE_CHECK(EncodeHardState(key, *hard_state) == value);
    }
  } else if (kind == 3) {
    if (const auto conf = DecodeConfState(key, value)) {
      QUORATE_CHECK(EncodeConfState(key, conf->lsn, conf->conf_state) == value);
    }
  } else if (kind == 4) {
    if (const auto truncated = DecodeTruncated(key, value)) {
      QUORATE_CHECK(EncodeTruncated(key, *truncated) == value);
    }
  } else if (kind == 5) {
    if (const auto replica = DecodeTombstone(key, value)) {
      QUORATE_CHECK(EncodeTombstone(key, *replica) == value);
    }
  } else if (const auto parsed = ParseRecordKey(key)) {
    QUORATE_CHECK(RecordKey(parsed->partition, static_cast<RecordKind>(parsed->kind)) == key);
  }
}

}  // namespace
}  // namespace quorate::log::internal

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 2) {
    return 0;
  }
  const unsigned pick = static_cast<unsigned char>(input[0]);
  const std::size_t key_size = static_cast<unsigned char>(input[1]);
  const std::string_view key = input.substr(2).substr(0, key_size);
  std::string value(input.substr(2 + key.size()));
  if ((pick & 0x80) != 0) {
    quorate::log::internal::MendChecksum(key, value);
  }
  quorate::log::internal::Decode(pick & 7, key, value);
  return 0;
}
