// Syncs a file of the write-ahead log when RocksDB begins the next one, before a batch is written
// to that.
//
// Without it the end of one file and the beginning of the next may both be unsynced, the kernel may
// write back the latter alone before the power goes, and the store would hold a batch without its
// predecessor. RocksDB calls us while it changes files: in the thread that leads the writers,
// before their batches go anywhere, without its own lock (DBImpl::SwitchMemtable).
// docs/decisions/0003-wal-recovery.md.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <atomic>

#include "env/logger.h"

namespace quorate::kv::internal {

class SyncAtWalSwitch final : public rocksdb::EventListener {
 public:
  // `logger` outlives it.
  explicit SyncAtWalSwitch(env::Logger& logger) : logger_(logger) {}

  // From now on `db` is synced; it outlives every call of ours, since it makes them. No batch was
  // written to it.
  void Attach(rocksdb::DB& db) { db_ = &db; }

  // Whether a sync failed. The batch for which the file was changed is written all the same, so
  // whoever wrote it must look here.
  bool failed() const { return failed_; }

  void OnMemTableSealed(const rocksdb::MemTableInfo& info) override;

 private:
  env::Logger& logger_;
  std::atomic<rocksdb::DB*> db_{nullptr};
  std::atomic<bool> failed_{false};
};

}  // namespace quorate::kv::internal
