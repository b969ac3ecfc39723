// RocksDbStore: the Store of production, over RocksDB.
//
// One column family for each of ours, one write-ahead log for all of them. A synced Write() is one
// fdatasync of that log. Memory is bounded by the options, however much is stored.
//
// After any failed Write() the store refuses every further one: RocksDB must not resume by itself
// behind a sync of which nobody knows what it did. Errors of background work (flushes, compactions)
// are logged, and make the next Write() fail.
//
// Open() drops a record that a power cut tore at the end of the write-ahead log, and refuses
// (kCorruption) when the log is damaged elsewhere, rather than drop what was acknowledged. A
// Write() for which RocksDB begins another file of the log first syncs the one before, asked or
// not, or the prefix that a crash leaves could have a hole there.
// docs/decisions/0003-wal-recovery.md.
//
// Safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "env/logger.h"
#include "kv/store.h"

namespace quorate::kv {

struct RocksDbOptions {
  // Of the families' memtables together, and of each; the oldest are flushed beyond.
  std::size_t write_buffers_bytes_max = 48 << 20;
  std::size_t log_write_buffer_bytes = 16 << 20;
  std::size_t state_write_buffer_bytes = 16 << 20;
  std::size_t raft_write_buffer_bytes = 2 << 20;
  // Data, index and filter blocks in memory.
  std::size_t block_cache_bytes_max = 32 << 20;
  // What a restart has to replay at most, about.
  std::uint64_t wal_bytes_max = 64 << 20;
  int open_files_max = 256;
  // For `quorate inspect`: changes nothing on disk, takes no lock; every Write() fails. kNotFound
  // if there is no store.
  bool read_only = false;
  // For an operator who has read what Open() said about a damaged write-ahead log, and accepts to
  // lose it from the damage on.
  bool accept_damaged_wal = false;
};

class RocksDbStore final : public Store {
 public:
  // Makes the folder `path` if there is none; its parent exists. `logger` outlives the store.
  // Blocks.
  //   kAlreadyExists      another process uses it;
  //   kCorruption         damaged; the message says where;
  //   kResourceExhausted  the disk is full.
  static Result<std::unique_ptr<RocksDbStore>> Open(const std::string& path, RocksDbOptions options,
                                                    env::Logger& logger);
  // Snapshots and iterators are gone by now.
  ~RocksDbStore() override;

  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override;
  std::unique_ptr<Iterator> NewIterator(Family family, std::string_view lower,
                                        std::string_view upper) const override;
  Status Write(WriteBatch batch, WriteOptions options) override;
  std::shared_ptr<const Snapshot> TakeSnapshot() const override;

  // Bytes in memory that RocksDB counts: memtables, cached blocks, table readers.
  std::uint64_t MemoryBytes() const;

 private:
  struct Impl;
  class RocksDbSnapshot;

  explicit RocksDbStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::kv
