// CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds damage in what was stored.
#pragma once

#include <cstdint>
#include <string_view>

namespace quorate {

// Of `bytes` behind what gave `before` (0 at the beginning). Uses the processor's instruction where
// there is one.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t before = 0);

// The same by table, on any processor. Public for its test.
std::uint32_t Crc32cPortable(std::string_view bytes, std::uint32_t before = 0);

}  // namespace quorate
