// Fixed-width integers as bytes, and hexadecimal. Keys are big-endian, so that they sort as
// numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quorate {

void AppendBigEndian64(std::string& out, std::uint64_t value);
void AppendBigEndian32(std::string& out, std::uint32_t value);

// REQUIRES: bytes.size() >= 8 (or 4).
std::uint64_t ReadBigEndian64(std::string_view bytes);
std::uint32_t ReadBigEndian32(std::string_view bytes);

std::string HexEncode(std::string_view bytes);

// Nothing unless `hex` is an even number of lower- or upper-case hexadecimal digits.
std::optional<std::string> HexDecode(std::string_view hex);

// Bytes for people: printable ASCII as it is, the rest as \xNN, at most `size_max` bytes of input.
std::string Printable(std::string_view bytes, std::size_t size_max = 200);

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace quorate
