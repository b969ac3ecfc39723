#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace quorate {

namespace {

using Table = std::array<std::uint32_t, 256>;

// kTables[k][b]: the effect of byte b with k zero bytes behind it.
constexpr std::array<Table, 8> MakeTables() {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Bits reversed.
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[k - 1][byte];
      tables[k][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kTables = MakeTables();

std::uint32_t ByteAt(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

std::uint32_t LittleEndian32(std::string_view bytes, std::size_t i) {
  return ByteAt(bytes, i) | ByteAt(bytes, i + 1) << 8 | ByteAt(bytes, i + 2) << 16 |
         ByteAt(bytes, i + 3) << 24;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t Crc32cBySse42(std::string_view bytes,
                                                              std::uint32_t before) {
  std::uint64_t crc = ~before;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    crc = __builtin_ia32_crc32di(crc, word);
    bytes.remove_prefix(8);
  }
  auto low = static_cast<std::uint32_t>(crc);
  for (const char c : bytes) {
    low = __builtin_ia32_crc32qi(low, static_cast<unsigned char>(c));
  }
  return ~low;
}
#endif

}  // namespace

std::uint32_t Crc32cPortable(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  while (bytes.size() >= 8) {
    const std::uint32_t low = crc ^ LittleEndian32(bytes, 0);
    const std::uint32_t high = LittleEndian32(bytes, 4);
    crc = kTables[7][low & 0xff] ^ kTables[6][(low >> 8) & 0xff] ^ kTables[5][(low >> 16) & 0xff] ^
          kTables[4][low >> 24] ^ kTables[3][high & 0xff] ^ kTables[2][(high >> 8) & 0xff] ^
          kTables[1][(high >> 16) & 0xff] ^ kTables[0][high >> 24];
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~crc;
}

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) {
    return Crc32cBySse42(bytes, before);
  }
#endif
  return Crc32cPortable(bytes, before);
}

}  // namespace quorate
