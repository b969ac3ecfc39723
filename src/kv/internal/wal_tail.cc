#include "kv/internal/wal_tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/crc32c.h"

namespace quorate::kv::internal {

namespace {

namespace fs = std::filesystem;

// RocksDB's log format: blocks of 32 KiB; a record lies in one block, or in fragments in several.
// A fragment: masked CRC-32C of type and data (4 bytes), size (2), type (1), data; little-endian.
constexpr std::size_t kBlockBytes = 32 << 10;
constexpr std::size_t kHeaderBytes = 7;
enum FragmentType : unsigned char { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

unsigned ByteAt(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

std::uint32_t Mask(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

struct Fragment {
  unsigned type;
  std::size_t bytes;  // With its header.
};

// The fragment at the beginning of `block`, if a good one is there.
std::optional<Fragment> ParseFragment(std::string_view block) {
  if (block.size() < kHeaderBytes) {
    return std::nullopt;
  }
  const std::size_t size = ByteAt(block, 4) | ByteAt(block, 5) << 8;
  const unsigned type = ByteAt(block, 6);
  if (type == kZero || type > kLast || kHeaderBytes + size > block.size()) {
    return std::nullopt;
  }
  const std::uint32_t stored =
      ByteAt(block, 0) | ByteAt(block, 1) << 8 | ByteAt(block, 2) << 16 | ByteAt(block, 3) << 24;
  if (Mask(Crc32c(block.substr(6, 1 + size))) != stored) {
    return std::nullopt;
  }
  return Fragment{.type = type, .bytes = kHeaderBytes + size};
}

Result<std::vector<fs::path>> ListWals(const std::string& path) {
  std::vector<fs::path> wals;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".log" && it->file_size(error) > 0 && !error) {
      wals.push_back(it->path());
    }
  }
  if (error) {
    return Error(Code::kInternal, fmt::format("list {}: {}", path, error.message()));
  }
  std::sort(wals.begin(), wals.end());  // Numbers have leading zeros.
  return wals;
}

}  // namespace

WalEnd JudgeWal(std::string_view bytes) {
  bool bad = false;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kBlockBytes) {
    std::string_view block = bytes.substr(begin, kBlockBytes);
    const bool last_block = begin + block.size() == bytes.size();
    while (!block.empty()) {
      if (const std::optional<Fragment> fragment = ParseFragment(block)) {
        if (bad && (fragment->type == kFull || fragment->type == kFirst)) {
          return WalEnd::kDamaged;
        }
        block.remove_prefix(fragment->bytes);
        continue;
      }
      // Less than a header at the end of a block is filling.
      bad = bad || block.size() >= kHeaderBytes || last_block;
      block.remove_prefix(1);  // Sizes cannot be trusted any more: look everywhere.
    }
  }
  return bad ? WalEnd::kTorn : WalEnd::kClean;
}

Result<bool> OnlyNewestWalIsTorn(const std::string& path) {
  const std::vector<fs::path> wals = QUORATE_TRY(ListWals(path));
  for (std::size_t i = 0; i < wals.size(); ++i) {
    std::ifstream file(wals[i], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad()) {
      return Error(Code::kInternal, fmt::format("read {}", wals[i].string()));
    }
    const WalEnd expected = i + 1 == wals.size() ? WalEnd::kTorn : WalEnd::kClean;
    if (JudgeWal(bytes) != expected) {
      return false;
    }
  }
  return !wals.empty();
}

}  // namespace quorate::kv::internal
