#include "git/object_id.h"

#include <algorithm>

#include "base/bytes.h"

namespace quorate::git {

std::string_view FormatName(ObjectFormat format) {
  switch (format) {
    case ObjectFormat::kSha1:
      return "sha1";
    case ObjectFormat::kSha256:
      return "sha256";
  }
  return "unknown";
}

std::optional<ObjectFormat> ParseFormatName(std::string_view name) {
  if (name == "sha1") {
    return ObjectFormat::kSha1;
  }
  if (name == "sha256") {
    return ObjectFormat::kSha256;
  }
  return std::nullopt;
}

ObjectId ObjectId::Zero(ObjectFormat format) {
  ObjectId id;
  id.format_ = format;
  return id;
}

std::optional<ObjectId> ObjectId::FromRaw(ObjectFormat format, std::string_view raw) {
  if (raw.size() != RawSize(format)) {
    return std::nullopt;
  }
  ObjectId id = Zero(format);
  std::ranges::copy(raw, id.bytes_.begin());
  return id;
}

std::optional<ObjectId> ObjectId::FromHex(ObjectFormat format, std::string_view hex) {
  if (hex.size() != HexSize(format)) {
    return std::nullopt;
  }
  const std::optional<std::string> raw = HexDecode(hex);
  if (!raw) {
    return std::nullopt;
  }
  return FromRaw(format, *raw);
}

bool ObjectId::IsZero() const {
  return std::ranges::all_of(bytes_, [](std::uint8_t byte) { return byte == 0; });
}

std::string ObjectId::ToHex() const {
  return HexEncode(raw());
}

}  // namespace quorate::git
