#include "kv/internal/rocksdb_settings.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <string>

namespace quorate::kv::internal {

namespace {

// Few shards: one must hold many blocks, or they drive each other out while others have room.
constexpr int kCacheShardBits = 3;

class BackgroundErrors final : public rocksdb::EventListener {
 public:
  explicit BackgroundErrors(env::Logger& logger) : logger_(logger) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    logger_.Fail("store: background work failed",
                 {{"reason", static_cast<std::uint64_t>(reason)}, {"error", error->ToString()}});
  }

 private:
  env::Logger& logger_;
};

rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options, WalTail tail, env::Logger& logger) {
  rocksdb::DBOptions db;
  db.create_if_missing = !options.read_only;
  db.create_missing_column_families = !options.read_only;
  db.paranoid_checks = true;
  db.wal_recovery_mode = options.accept_damaged_wal || tail == WalTail::kTorn
                             ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                             : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // Finds logs that went missing or lost their end after they were synced and closed.
  db.track_and_verify_wals_in_manifest = !options.accept_damaged_wal;
  db.manual_wal_flush = false;
  db.max_total_wal_size = options.wal_bytes_max;
  db.max_bgerror_resume_count = 0;  // A failed write is final until the process starts again.
  db.max_open_files = options.open_files_max;
  db.max_background_jobs = 2;
  // Nearly all is written by two threads, the log's and the states' (GroupWriter), each for many
  // others. What they could still share is not worth waking a thread, or spinning, for.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  // The memtables take one batch while the next is written and synced; the order is the same.
  db.enable_pipelined_write = true;
  db.bytes_per_sync = 1 << 20;  // Table files reach the disk evenly, beside the log's syncs.
  db.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.write_buffers_bytes_max);
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.keep_log_file_num = 4;
  db.max_log_file_size = 4 << 20;
  db.listeners.push_back(std::make_shared<BackgroundErrors>(logger));
  return db;
}

rocksdb::BlockBasedTableOptions MakeTableOptions(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.block_size = 16 << 10;
  table.cache_index_and_filter_blocks = true;  // Else they grow with the store, unbounded.
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // In pieces, so that a look-up fetches one of them: the filter of a whole table can be larger
  // than a shard of the cache, and would be read from the disk for every key.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;  // Where there are filters.
  table.metadata_block_size = 8 << 10;
  table.pin_top_level_index_and_filter = true;
  table.format_version = 5;
  return table;
}

// Written once, seldom read, deleted from the front by range: nothing is gained by filters, nor by
// compressing what are packs already. Files that hold only deleted entries go when compaction meets
// the range delete; a day at the latest.
rocksdb::ColumnFamilyOptions MakeLogFamily(const RocksDbOptions& options,
                                           rocksdb::BlockBasedTableOptions table) {
  constexpr std::uint64_t kDaySeconds = 24 * 60 * 60;
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.log_write_buffer_bytes;
  family.max_write_buffer_number = 3;
  family.compression = rocksdb::kNoCompression;
  family.target_file_size_base = 16 << 20;
  family.max_bytes_for_level_base = 64 << 20;
  family.num_levels = 4;
  family.periodic_compaction_seconds = kDaySeconds;
  table.block_size = 32 << 10;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

// A few small records for each partition, overwritten all the time.
rocksdb::ColumnFamilyOptions MakeRaftFamily(const RocksDbOptions& options,
                                            const rocksdb::BlockBasedTableOptions& table) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.raft_write_buffer_bytes;
  family.compression = rocksdb::kNoCompression;
  family.num_levels = 3;
  family.target_file_size_base = 4 << 20;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

// References and what else transactions read: point lookups and short walks.
rocksdb::ColumnFamilyOptions MakeStateFamily(const RocksDbOptions& options,
                                             rocksdb::BlockBasedTableOptions table) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.state_write_buffer_bytes;
  family.compression = rocksdb::kLZ4Compression;
  family.level_compaction_dynamic_level_bytes = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

}  // namespace

RocksDbSettings MakeSettings(const RocksDbOptions& options, WalTail tail, env::Logger& logger) {
  RocksDbSettings settings;
  settings.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes_max, kCacheShardBits);
  const rocksdb::BlockBasedTableOptions table = MakeTableOptions(settings.block_cache);
  settings.db = MakeDbOptions(options, tail, logger);
  settings.wal_switch = std::make_shared<SyncAtWalSwitch>(logger);
  settings.db.listeners.push_back(settings.wal_switch);
  settings.families = {
      {rocksdb::kDefaultColumnFamilyName, MakeRaftFamily(options, table)},
      {"log", MakeLogFamily(options, table)},
      {"raft", MakeRaftFamily(options, table)},
      {"state", MakeStateFamily(options, table)},
  };
  for (rocksdb::ColumnFamilyDescriptor& family : settings.families) {
    if (family.name != "log" && family.name != "state") {
      continue;  // What is written seldom is not worth the memory of a hint.
    }
    // A log's keys begin with their partition, a state's with partition and kind.
    const std::size_t prefix_bytes = family.name == "log" ? 8 : 9;
    settings.insert_hints.push_back(std::make_shared<InsertHints>(prefix_bytes));
    family.options.memtable_insert_with_hint_prefix_extractor = settings.insert_hints.back();
  }
  return settings;
}

Status FromRocksDb(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) {
    return Ok();
  }
  Code code = Code::kInternal;
  if (status.IsNoSpace()) {
    code = Code::kResourceExhausted;
  } else if (status.IsCorruption()) {
    code = Code::kCorruption;
  }
  return Error(code, fmt::format("{}: {}", doing, status.ToString()));
}

}  // namespace quorate::kv::internal
