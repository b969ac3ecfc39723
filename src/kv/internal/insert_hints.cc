#include "kv/internal/insert_hints.h"

#include <string>

namespace quorate::kv::internal {

rocksdb::Status DeleteRange(rocksdb::ColumnFamilyHandle* family, std::string_view first,
                            std::string_view last, rocksdb::WriteBatch& batch) {
  // RocksDB takes an empty or inverted range for a mistake; to us it is a range without keys.
  if (first >= last) {
    return rocksdb::Status::OK();
  }
  std::string second(first);
  second += '\0';
  rocksdb::Status status = batch.Delete(family, rocksdb::Slice(first.data(), first.size()));
  if (status.ok() && second < last) {
    status = batch.DeleteRange(family, second, rocksdb::Slice(last.data(), last.size()));
  }
  return status;
}

}  // namespace quorate::kv::internal
