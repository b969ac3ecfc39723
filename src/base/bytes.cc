#include "base/bytes.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"

namespace quorate {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

template <class T>
void AppendBigEndian(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>((value >> (8 * (sizeof(T) - 1 - i))) & 0xff);
  }
  out.append(bytes.data(), bytes.size());
}

template <class T>
T ReadBigEndian(std::string_view bytes) {
  QUORATE_CHECK(bytes.size() >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

void AppendBigEndian64(std::string& out, std::uint64_t value) {
  AppendBigEndian(out, value);
}
void AppendBigEndian32(std::string& out, std::uint32_t value) {
  AppendBigEndian(out, value);
}

std::uint64_t ReadBigEndian64(std::string_view bytes) {
  return ReadBigEndian<std::uint64_t>(bytes);
}
std::uint32_t ReadBigEndian32(std::string_view bytes) {
  return ReadBigEndian<std::uint32_t>(bytes);
}

std::string HexEncode(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kHexDigits[byte >> 4]);
    hex.push_back(kHexDigits[byte & 15]);
  }
  return hex;
}

std::optional<std::string> HexDecode(std::string_view hex) {
  if (hex.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string Printable(std::string_view bytes, std::size_t size_max) {
  std::string text;
  for (const char c : bytes.substr(0, size_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      text.push_back(c);
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  if (bytes.size() > size_max) {
    text += fmt::format("... ({} bytes)", bytes.size());
  }
  return text;
}

}  // namespace quorate
