// ReadSet: the keys of the conflict window that a transaction has read.
//
// Made for thousands of them in a transaction, nearly none of which anybody else writes: to add a
// key costs a copy of its bytes, no allocation and no search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace quorate::txn::internal {

class ReadSet {
 public:
  ReadSet() = default;
  ReadSet(const ReadSet&) = delete;
  ReadSet& operator=(const ReadSet&) = delete;
  ReadSet(ReadSet&&) noexcept = default;
  ReadSet& operator=(ReadSet&&) noexcept = default;

  // The key is `head` and `tail`, one behind the other.
  void Add(std::string_view head, std::string_view tail = {});

  // Makes MayContain() cheap: two looks at a filter for most keys that are not here. To be called
  // when nothing is added any more.
  void Seal();

  // False: `key` was not added. True: it was, but for a collision of 64-bit hashes.
  bool MayContain(std::string_view key) const;

  // What was added, in order and once each; valid as long as the set.
  std::vector<std::string_view> Sorted() const;

  // Calls of Add(), but for one that said the same as the one before.
  std::size_t size() const { return keys_.size(); }
  bool empty() const { return keys_.empty(); }

 private:
  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
  };

  bool FilterHas(std::uint64_t hash) const;

  std::vector<Piece> pieces_;
  std::vector<std::string_view> keys_;  // Into pieces_.
  // Once sealed:
  std::vector<std::uint64_t> hashes_;  // Of keys_.
  std::vector<std::uint64_t> filter_;  // A Bloom filter over them, of a power of two of words.
};

}  // namespace quorate::txn::internal
