#include "txn/internal/read_set.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace quorate::txn::internal {
namespace {

// The first is small: most transactions read little.
constexpr std::size_t kFirstPieceBytes = 512;
constexpr std::size_t kPieceBytesMax = 64 << 10;

// 16 to 32 bits a key, two of them set: one of 70 keys that are not here is searched for.
constexpr std::size_t kKeysPerWord = 4;

// Most keys are a kind and a repository, and then a name. They are hashed in two parts, so that
// Add() need not read what it has just put together: to read bytes back at once stalls for longer
// than the hash takes.
constexpr std::size_t kFirstPartBytes = 9;

std::uint64_t HashOf(std::string_view first, std::string_view rest) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio.
  const std::hash<std::string_view> hash;
  return hash(first) * kOdd + hash(rest);
}

std::uint64_t HashOf(std::string_view key) {
  const std::string_view first = key.substr(0, kFirstPartBytes);
  return HashOf(first, key.substr(first.size()));
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
  Piece& piece = pieces_.back();
  char* const at = piece.bytes.get() + piece.used;
  head.copy(at, head.size());
  tail.copy(at + head.size(), tail.size());
  const std::string_view key(at, size);
  const std::uint64_t hash = head.size() == kFirstPartBytes ? HashOf(head, tail) : HashOf(key);
  if (!keys_.empty() && hashes_.back() == hash && keys_.back() == key) {
    return;
  }
  piece.used += size;
  keys_.push_back(key);
  hashes_.push_back(hash);
  if (keys_.size() > filter_.size() * kKeysPerWord) {
    filter_.assign(std::max<std::size_t>(2 * filter_.size(), 1), 0);
    std::ranges::for_each(hashes_, [this](std::uint64_t each) { AddToFilter(each); });
  } else {
    AddToFilter(hash);
  }
}

void ReadSet::AddToFilter(std::uint64_t hash) {
  filter_[(hash >> 6) & (filter_.size() - 1)] |= std::uint64_t{1} << (hash & 63);
  filter_[(hash >> 38) & (filter_.size() - 1)] |= std::uint64_t{1} << ((hash >> 32) & 63);
}

bool ReadSet::FilterHas(std::uint64_t hash) const {
  return (filter_[(hash >> 6) & (filter_.size() - 1)] >> (hash & 63) & 1) != 0 &&
         (filter_[(hash >> 38) & (filter_.size() - 1)] >> ((hash >> 32) & 63) & 1) != 0;
}

bool ReadSet::MayContain(std::string_view key) const {
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
