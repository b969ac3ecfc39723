// How RocksDB is set up, and what its statuses mean to us. Only for rocksdb_store.cc.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/internal/insert_hints.h"
#include "kv/internal/wal_switch.h"
#include "kv/rocksdb_store.h"

namespace quorate::kv::internal {

// How the newest file of the log is meant to end.
enum class WalTail : std::uint8_t {
  kWhole,  // With a good record, or one that RocksDB takes for cut short.
  kTorn,   // With one that was being written; it is dropped (kv/internal/wal_tail.h).
};

struct RocksDbSettings {
  rocksdb::DBOptions db;
  // RocksDB's own "default" first (it must exist, and stays empty), then ours in the order of
  // Family.
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::shared_ptr<SyncAtWalSwitch> wal_switch;  // One of db.listeners; wants the database.
  std::vector<std::shared_ptr<InsertHints>> insert_hints;  // Start with the database.
};

RocksDbSettings MakeSettings(const RocksDbOptions& options, WalTail tail, env::Logger& logger);

// Ok, or what the caller was `doing` with the code that fits.
Status FromRocksDb(const rocksdb::Status& status, std::string_view doing);

}  // namespace quorate::kv::internal
