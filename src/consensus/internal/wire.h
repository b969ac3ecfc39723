// The protobuf wire format, as much of it as eraftpb's small messages need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace quorate::consensus::internal {

// Appends fields. Zero and empty values are left out, as proto3 does.
class WireWriter {
 public:
  void Number(std::uint32_t field, std::uint64_t value);
  void Bytes(std::uint32_t field, std::string_view value);
  // Also when zero (one element of a repeated field).
  void Element(std::uint32_t field, std::uint64_t value);
  // Also when empty (one element of a repeated message).
  void Message(std::uint32_t field, std::string_view encoded);

  std::string Take() { return std::move(out_); }

 private:
  void Varint(std::uint64_t value);

  std::string out_;
};

// Reads fields one after the other:
//   while (reader.Next()) { if (reader.field() == 1) ... reader.number() ... }
//   if (!reader.ok()) ...
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  bool Next();  // False at the end and at the first malformed byte.
  bool ok() const { return ok_; }

  std::uint32_t field() const { return field_; }
  bool is_number() const { return type_ == kVarint; }
  bool is_bytes() const { return type_ == kLengthDelimited; }
  std::uint64_t number() const { return number_; }
  std::string_view bytes() const { return bytes_; }

  // Reads one varint off the front of `bytes`, as packed repeated fields have them.
  static bool TakeVarint(std::string_view& bytes, std::uint64_t& value);

 private:
  static constexpr std::uint32_t kVarint = 0;
  static constexpr std::uint32_t kFixed64 = 1;
  static constexpr std::uint32_t kLengthDelimited = 2;
  static constexpr std::uint32_t kFixed32 = 5;

  bool Fail();
  bool Skip(std::size_t size);

  std::string_view rest_;
  std::uint32_t field_ = 0;
  std::uint32_t type_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace quorate::consensus::internal
