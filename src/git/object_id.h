// ObjectId: the name of a Git object in a SHA-1 or a SHA-256 repository.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace quorate::git {

enum class ObjectFormat : std::uint8_t { kSha1 = 1, kSha256 = 2 };

constexpr std::size_t RawSize(ObjectFormat format) {
  return format == ObjectFormat::kSha1 ? 20 : 32;
}
constexpr std::size_t HexSize(ObjectFormat format) {
  return RawSize(format) * 2;
}

// "sha1" or "sha256", as in Git's object-format capability.
std::string_view FormatName(ObjectFormat format);
std::optional<ObjectFormat> ParseFormatName(std::string_view name);

class ObjectId {
 public:
  // The zero id of a SHA-1 repository.
  ObjectId() = default;

  static ObjectId Zero(ObjectFormat format);
  // Nothing unless `raw` has exactly the format's size.
  static std::optional<ObjectId> FromRaw(ObjectFormat format, std::string_view raw);
  // Nothing unless `hex` is exactly the format's number of lower- or upper-case digits.
  static std::optional<ObjectId> FromHex(ObjectFormat format, std::string_view hex);

  ObjectFormat format() const { return format_; }
  bool IsZero() const;
  std::string_view raw() const {
    return {reinterpret_cast<const char*>(bytes_.data()), RawSize(format_)};
  }
  std::string ToHex() const;

  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;

  template <class H>
  friend H AbslHashValue(H h, const ObjectId& id) {
    return H::combine(std::move(h), id.raw());
  }

 private:
  ObjectFormat format_ = ObjectFormat::kSha1;
  std::array<std::uint8_t, 32> bytes_{};
};

}  // namespace quorate::git
