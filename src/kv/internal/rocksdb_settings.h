// How RocksDB is set up, and what its statuses mean to us. Only for rocksdb_store.cc.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/rocksdb_store.h"

namespace quorate::kv::internal {

struct RocksDbSettings {
  rocksdb::DBOptions db;
  // RocksDB's own "default" first (it must exist, and stays empty), then ours in the order of
  // Family.
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  std::shared_ptr<rocksdb::Cache> block_cache;
};

RocksDbSettings MakeSettings(const RocksDbOptions& options, env::Logger& logger);

// Ok, or what the caller was `doing` with the code that fits.
Status FromRocksDb(const rocksdb::Status& status, std::string_view doing);

}  // namespace quorate::kv::internal
