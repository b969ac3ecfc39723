#include "txn/internal/read_set.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace quorate::txn::internal {
namespace {

// The first is small: most transactions read little.
constexpr std::size_t kFirstPieceBytes = 512;
constexpr std::size_t kPieceBytesMax = 64 << 10;

// 16 to 32 bits a key, two of them set: one of 70 keys that are not here is searched for.
constexpr std::size_t kKeysPerWord = 4;

// To read many bytes back that were just written stalls. So one byte is looked at first, and keys
// are not hashed when they are added.
bool IsSame(std::string_view key, std::string_view head, std::string_view tail) {
  return key.size() == head.size() + tail.size() && (tail.empty() || key.back() == tail.back()) &&
         key.ends_with(tail) && key.starts_with(head);
}

std::uint64_t HashOf(std::string_view key) {
  return absl::Hash<std::string_view>()(key);
}

}  // namespace

void ReadSet::Add(std::string_view head, std::string_view tail) {
  const std::size_t size = head.size() + tail.size();
  if (pieces_.empty() || pieces_.back().size - pieces_.back().used < size) {
    const std::size_t next =
        pieces_.empty() ? kFirstPieceBytes : std::min(2 * pieces_.back().size, kPieceBytesMax);
    Piece piece{.bytes = nullptr, .size = std::max(next, size)};
    piece.bytes = std::make_unique_for_overwrite<char[]>(piece.size);
    pieces_.push_back(std::move(piece));
  }
  if (!keys_.empty() && IsSame(keys_.back(), head, tail)) {
    return;
  }
  Piece& piece = pieces_.back();
  char* const at = piece.bytes.get() + piece.used;
  head.copy(at, head.size());
  tail.copy(at + head.size(), tail.size());
  piece.used += size;
  keys_.emplace_back(at, size);
}

void ReadSet::Seal() {
  hashes_.resize(keys_.size());
  std::ranges::transform(keys_, hashes_.begin(), HashOf);
  filter_.assign(std::bit_ceil(keys_.size() / kKeysPerWord + 1), 0);
  const std::size_t mask = filter_.size() - 1;
  for (const std::uint64_t hash : hashes_) {
    filter_[(hash >> 6) & mask] |= std::uint64_t{1} << (hash & 63);
    filter_[(hash >> 38) & mask] |= std::uint64_t{1} << ((hash >> 32) & 63);
  }
}

bool ReadSet::FilterHas(std::uint64_t hash) const {
  const std::size_t mask = filter_.size() - 1;
  return (filter_[(hash >> 6) & mask] >> (hash & 63) & 1) != 0 &&
         (filter_[(hash >> 38) & mask] >> ((hash >> 32) & 63) & 1) != 0;
}

bool ReadSet::MayContain(std::string_view key) const {
  if (hashes_.size() != keys_.size()) {  // Not sealed.
    return std::ranges::find(keys_, key) != keys_.end();
  }
  const std::uint64_t hash = HashOf(key);
  return !empty() && FilterHas(hash) && std::ranges::find(hashes_, hash) != hashes_.end();
}

std::vector<std::string_view> ReadSet::Sorted() const {
  std::vector<std::string_view> keys = keys_;
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace quorate::txn::internal
