#include "kv/internal/wal_switch.h"

namespace quorate::kv::internal {

void SyncAtWalSwitch::OnMemTableSealed(const rocksdb::MemTableInfo& /*info*/) {
  rocksdb::DB* const db = db_;
  if (db == nullptr || failed_) {
    return;
  }
  // Also notes in RocksDB's manifest how long the file is that ended: the next start finds out if
  // it lost its end.
  const rocksdb::Status synced = db->SyncWAL();
  if (!synced.ok()) {
    failed_ = true;
    logger_.Fail("store: sync of a log file that ended failed", {{"error", synced.ToString()}});
  }
}

}  // namespace quorate::kv::internal
