// InsertHints tells RocksDB which keys are inserted beside one another, so that its memtable looks
// for the place of a key where the last one with the same beginning went, and not from its top: a
// log grows at one end for each partition, and an apply writes the neighbours of what the one
// before wrote.
//
// RocksDB (7.8) keeps one hint for the keys and for the range deletes with the same beginning,
// which it keeps in two lists, and writes where it must not when one list's hint is used in the
// other. Therefore a key that ends with a zero byte has no hint, and every range is deleted from
// such a key on (DeleteRange() below). Nor has any before Start(): the log that is replayed at an
// opening may be of an earlier release.
//
// A hint is some 250 bytes for each beginning in each memtable. Safe from any thread.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace quorate::kv::internal {

class InsertHints final : public rocksdb::SliceTransform {
 public:
  // Keys belong together that have their first `prefix_bytes` in common; shorter ones have no hint.
  explicit InsertHints(std::size_t prefix_bytes) : prefix_bytes_(prefix_bytes) {}

  // The store is open.
  void Start() { started_ = true; }

  const char* Name() const override { return "quorate.InsertHints"; }
  bool InDomain(const rocksdb::Slice& key) const override {
    return started_.load(std::memory_order_relaxed) && key.size() >= prefix_bytes_ &&
           key[key.size() - 1] != '\0';
  }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), prefix_bytes_};
  }

 private:
  const std::size_t prefix_bytes_;
  std::atomic<bool> started_{false};
};

// Deletes [first, last): `first` by itself, the rest as a range that begins with a zero byte behind
// `first`, which is the key next to it.
rocksdb::Status DeleteRange(rocksdb::ColumnFamilyHandle* family, std::string_view first,
                            std::string_view last, rocksdb::WriteBatch& batch);

}  // namespace quorate::kv::internal
