#include "kv/rocksdb_store.h"

#include <absl/base/dynamic_annotations.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "kv/internal/insert_hints.h"
#include "kv/internal/rocksdb_settings.h"
#include "kv/internal/wal_tail.h"

namespace quorate::kv {

using internal::FromRocksDb;

namespace {

rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view FromSlice(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// ThreadSanitizer overlooks what this thread reads and writes meanwhile: RocksDB merges the batches
// of concurrent writers in a std::string that they hand on by atomics. It is not instrumented, and
// what copies for it is libstdc++, which no suppression could tell from our own strings.
rocksdb::Status WriteTo(rocksdb::DB& db, const rocksdb::WriteOptions& options,
                        rocksdb::WriteBatch& batch) {
  ABSL_ANNOTATE_IGNORE_READS_AND_WRITES_BEGIN();
  rocksdb::Status written = db.Write(options, &batch);
  ABSL_ANNOTATE_IGNORE_READS_AND_WRITES_END();
  return written;
}

class RocksDbIterator final : public Iterator {
 public:
  RocksDbIterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                  const rocksdb::Snapshot* snapshot, std::string_view lower, std::string_view upper)
      : upper_(upper), upper_slice_(upper_) {
    rocksdb::ReadOptions read;
    read.snapshot = snapshot;
    read.iterate_upper_bound = &upper_slice_;
    it_.reset(db.NewIterator(read, family));
    if (lower < upper) {
      it_->Seek(ToSlice(lower));
    }
  }

  bool Valid() const override { return it_->Valid(); }
  void Next() override {
    QUORATE_CHECK(it_->Valid());
    it_->Next();
  }
  void Seek(std::string_view key) override {
    if (it_->Valid() && it_->key().compare(ToSlice(key)) < 0) {
      it_->Seek(ToSlice(key));
    }
  }
  std::string_view key() const override {
    QUORATE_CHECK(it_->Valid());
    return FromSlice(it_->key());
  }
  std::string_view value() const override {
    QUORATE_CHECK(it_->Valid());
    return FromSlice(it_->value());
  }
  Status status() const override { return FromRocksDb(it_->status(), "walk the store"); }

 private:
  const std::string upper_;
  const rocksdb::Slice upper_slice_;  // The iterator points at it.
  std::unique_ptr<rocksdb::Iterator> it_;
};

rocksdb::Status AddChange(const WriteBatch::Change& change, rocksdb::ColumnFamilyHandle* family,
                          rocksdb::WriteBatch& batch) {
  switch (change.kind) {
    case WriteBatch::Kind::kPut:
      return batch.Put(family, change.key, change.value);
    case WriteBatch::Kind::kDelete:
      return batch.Delete(family, change.key);
    case WriteBatch::Kind::kDeleteRange:
      return internal::DeleteRange(family, change.key, change.value, batch);
  }
  return rocksdb::Status::InvalidArgument("unknown kind of change");
}

Error OpenError(const rocksdb::Status& status, const std::string& path) {
  const std::string text = status.ToString();
  const std::string doing = fmt::format("open store {}", path);
  if (status.IsIOError() &&
      (text.find("lock ") != std::string::npos || text.find("/LOCK") != std::string::npos)) {
    return Error(Code::kAlreadyExists,
                 fmt::format("{}: another process uses this data directory ({})", doing, text));
  }
  return FromRocksDb(status, doing).error();
}

}  // namespace

struct RocksDbStore::Impl {
  ~Impl() {
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      db->DestroyColumnFamilyHandle(handle);
    }
  }

  rocksdb::Status Open(const std::string& path, const RocksDbOptions& options,
                       internal::WalTail tail, env::Logger& logger) {
    internal::RocksDbSettings settings = internal::MakeSettings(options, tail, logger);
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status =
        options.read_only
            ? rocksdb::DB::OpenForReadOnly(settings.db, path, settings.families, &handles, &opened)
            : rocksdb::DB::Open(settings.db, path, settings.families, &handles, &opened);
    db.reset(opened);
    wal_switch = std::move(settings.wal_switch);
    if (status.ok()) {
      wal_switch->Attach(*db);
      for (const auto& hints : settings.insert_hints) {
        hints->Start();
      }
    }
    block_cache = std::move(settings.block_cache);
    return status;
  }

  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles[static_cast<std::size_t>(family) + 1];  // Behind RocksDB's own.
  }

  Result<std::optional<std::string>> Get(Family family, std::string_view key,
                                         const rocksdb::Snapshot* snapshot) const {
    rocksdb::ReadOptions read;
    read.snapshot = snapshot;
    std::string value;
    const rocksdb::Status status = db->Get(read, handle(family), ToSlice(key), &value);
    if (status.IsNotFound()) {
      return std::optional<std::string>();
    }
    QUORATE_TRY(FromRocksDb(status, "read the store"));
    return std::optional(std::move(value));
  }

  std::shared_ptr<internal::SyncAtWalSwitch> wal_switch;  // The database calls it.
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::atomic<bool> failed{false};
};

class RocksDbStore::RocksDbSnapshot final : public Snapshot {
 public:
  explicit RocksDbSnapshot(Impl& impl)
      : impl_(impl), held_(impl.db.get()), snapshot_(held_.snapshot()) {}

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return impl_.Get(family, key, snapshot_);
  }
  std::unique_ptr<Iterator> NewIterator(Family family, std::string_view lower,
                                        std::string_view upper) const override {
    return std::make_unique<RocksDbIterator>(*impl_.db, impl_.handle(family), snapshot_, lower,
                                             upper);
  }

 private:
  Impl& impl_;
  rocksdb::ManagedSnapshot held_;
  const rocksdb::Snapshot* const snapshot_;
};

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(const std::string& path,
                                                         RocksDbOptions options,
                                                         env::Logger& logger) {
  std::error_code ignored;
  if (options.read_only && !std::filesystem::exists(path + "/CURRENT", ignored)) {
    return Error(Code::kNotFound, fmt::format("no store in {}", path));
  }
  if (options.accept_damaged_wal) {
    logger.Warn("store: opening whatever its log is like; what lies behind damage is lost",
                {{"path", path}});
  }
  auto impl = std::make_unique<Impl>();
  rocksdb::Status status = impl->Open(path, options, internal::WalTail::kWhole, logger);
  if (status.IsCorruption() && !options.read_only) {
    const bool torn = QUORATE_TRY(internal::OnlyNewestWalIsTorn(path));
    if (torn) {
      logger.Warn("store: dropped a record that was being written when the power went",
                  {{"path", path}, {"found", status.ToString()}});
      status = impl->Open(path, options, internal::WalTail::kTorn, logger);
    }
  }
  if (!status.ok()) {
    return OpenError(status, path);
  }
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(impl)));
}

RocksDbStore::RocksDbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}

RocksDbStore::~RocksDbStore() = default;

Result<std::optional<std::string>> RocksDbStore::Get(Family family, std::string_view key) const {
  return impl_->Get(family, key, nullptr);
}

std::unique_ptr<Iterator> RocksDbStore::NewIterator(Family family, std::string_view lower,
                                                    std::string_view upper) const {
  return std::make_unique<RocksDbIterator>(*impl_->db, impl_->handle(family), nullptr, lower,
                                           upper);
}

Status RocksDbStore::Write(WriteBatch batch, WriteOptions options) {
  if (impl_->failed) {
    return Error(Code::kInternal, "write the store: a write failed before");
  }
  constexpr std::size_t kOverheadPerChange = 16;
  rocksdb::WriteBatch encoded(batch.bytes() + batch.changes().size() * kOverheadPerChange);
  for (const WriteBatch::Change& change : batch.changes()) {
    QUORATE_TRY(
        FromRocksDb(AddChange(change, impl_->handle(change.family), encoded), "encode a batch"));
  }
  rocksdb::WriteOptions write;
  write.sync = options.sync;
  Status written = FromRocksDb(WriteTo(*impl_->db, write, encoded), "write the store");
  if (written && impl_->wal_switch->failed()) {
    written = Error(Code::kInternal, "write the store: a log file that ended could not be synced");
  }
  if (!written) {
    impl_->failed = true;
  }
  return written;
}

std::shared_ptr<const Snapshot> RocksDbStore::TakeSnapshot() const {
  return std::make_shared<RocksDbSnapshot>(*impl_);
}

std::uint64_t RocksDbStore::MemoryBytes() const {
  std::uint64_t bytes = impl_->block_cache->GetUsage();
  for (const char* property :
       {"rocksdb.cur-size-all-mem-tables", "rocksdb.estimate-table-readers-mem"}) {
    std::uint64_t value = 0;
    if (impl_->db->GetAggregatedIntProperty(property, &value)) {
      bytes += value;
    }
  }
  return bytes;
}

}  // namespace quorate::kv
