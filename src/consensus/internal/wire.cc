#include "consensus/internal/wire.h"

namespace quorate::consensus::internal {

void WireWriter::Varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void WireWriter::Number(std::uint32_t field, std::uint64_t value) {
  if (value != 0) {
    Element(field, value);
  }
}

void WireWriter::Bytes(std::uint32_t field, std::string_view value) {
  if (!value.empty()) {
    Message(field, value);
  }
}

void WireWriter::Element(std::uint32_t field, std::uint64_t value) {
  Varint(std::uint64_t{field} << 3);
  Varint(value);
}

void WireWriter::Message(std::uint32_t field, std::string_view encoded) {
  Varint(std::uint64_t{field} << 3 | 2);
  Varint(encoded.size());
  out_.append(encoded);
}

bool WireReader::TakeVarint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) {
      return false;
    }
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      return true;
    }
  }
  return false;
}

bool WireReader::Fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

bool WireReader::Skip(std::size_t size) {
  if (rest_.size() < size) {
    return Fail();
  }
  bytes_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool WireReader::Next() {
  if (rest_.empty()) {
    return false;
  }
  std::uint64_t key = 0;
  if (!TakeVarint(rest_, key) || key >> 3 == 0 || key >> 32 != 0) {
    return Fail();
  }
  field_ = static_cast<std::uint32_t>(key >> 3);
  type_ = static_cast<std::uint32_t>(key & 7);
  number_ = 0;
  bytes_ = {};
  switch (type_) {
    case kVarint:
      return TakeVarint(rest_, number_) || Fail();
    case kFixed64:
      return Skip(8);
    case kFixed32:
      return Skip(4);
    case kLengthDelimited: {
      std::uint64_t size = 0;
      if (!TakeVarint(rest_, size) || size > rest_.size()) {
        return Fail();
      }
      return Skip(static_cast<std::size_t>(size));
    }
    default:  // Groups: eraftpb has none.
      return Fail();
  }
}

}  // namespace quorate::consensus::internal
