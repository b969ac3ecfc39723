// An ordered key-value store with atomic batches, O(1) snapshots and iterators.
//
// One store per node holds the logs and the state of all partitions. Its write-ahead log is the
// only thing that is fsynced for a small push. Two implementations: RocksDB (kv/rocksdb_store.h),
// and memory with crash semantics (kv/testing/memory_store.h).
//
// After a crash the store holds a *prefix* of the batches written to it, each whole or not at all,
// which contains at least every batch up to the last one written with `sync`.
//
// Safe from any thread; calls may block on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quorate::kv {

enum class Family : std::uint8_t {
  kLog,    // (partition, LSN) -> entry
  kRaft,   // partition -> identity, hard state, configuration, truncation point
  kState,  // (partition, kind, ...) -> what transactions read
};
inline constexpr int kFamilies = 3;

// Changes that take effect together, in the order in which they were added.
class WriteBatch {
 public:
  enum class Kind : std::uint8_t { kPut, kDelete, kDeleteRange };
  struct Change {
    Kind kind;
    Family family;
    std::string key;    // Of a range: its first key.
    std::string value;  // Of a range: the key behind its last.
  };

  void Put(Family family, std::string key, std::string value);
  void Delete(Family family, std::string key);
  // Every key in [first, last).
  void DeleteRange(Family family, std::string first, std::string last);

  // Appends all changes of `other`.
  void Append(WriteBatch other);

  const std::vector<Change>& changes() const { return changes_; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return changes_.empty(); }

 private:
  void Add(Change change);

  std::vector<Change> changes_;
  std::size_t bytes_ = 0;
};

// Walks the keys of one family in [lower, upper) in order. Usable until its snapshot or store goes.
//   for (auto it = ...; it->Valid(); it->Next()) { it->key(); it->value(); }
//   QUORATE_TRY(it->status());
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  // Moves on to the first key >= `key` (never backwards).
  virtual void Seek(std::string_view key) = 0;
  virtual std::string_view key() const = 0;    // REQUIRES: Valid().
  virtual std::string_view value() const = 0;  // REQUIRES: Valid().
  // Not Ok if the walk ended because of a read error.
  virtual Status status() const = 0;
};

class Reader {
 public:
  virtual ~Reader() = default;

  // kCorruption or kInternal when the store cannot be read.
  virtual Result<std::optional<std::string>> Get(Family family, std::string_view key) const = 0;

  virtual std::unique_ptr<Iterator> NewIterator(Family family, std::string_view lower,
                                                std::string_view upper) const = 0;
};

// A stable view of the whole store at one moment. Its store outlives it.
class Snapshot : public Reader {};

struct WriteOptions {
  bool sync = false;  // Durable, with every batch before it, when Write() returns.
};

class Store : public Reader {
 public:
  // Batches take effect in the order in which calls return. kResourceExhausted: the disk is full.
  // After any error the store refuses every further write, and what became of this one shows at the
  // next start: the caller ends the process (a failed sync is never retried). Reads go on. A batch
  // without `sync` may wait for the sync of another.
  virtual Status Write(WriteBatch batch, WriteOptions options) = 0;

  virtual std::shared_ptr<const Snapshot> TakeSnapshot() const = 0;
};

}  // namespace quorate::kv
