#include "kv/internal/wal_switch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/stackable_db.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "env/testing/loggers.h"
#include "env/testing/temporary_folder.h"
#include "kv/rocksdb_store.h"

namespace quorate::kv::internal {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// While it is there, RocksDB flushes no memtable in this process: a flush would sync the older
// files of the log as well, sooner or later. One at a time.
class FlushesHeld {
 public:
  FlushesHeld() {
    rocksdb::Env* const env = rocksdb::Env::Default();
    const int threads = std::max(1, env->GetBackgroundThreads(rocksdb::Env::HIGH));
    for (int i = 0; i < threads; ++i) {
      env->Schedule(&FlushesHeld::Hold, nullptr, rocksdb::Env::HIGH);
      started_.acquire();
    }
    held_ = threads;
  }
  ~FlushesHeld() {
    release_.release(held_);
    for (int i = 0; i < held_; ++i) {
      ended_.acquire();
    }
  }

 private:
  static void Hold(void* /*unused*/) {
    started_.release();
    release_.acquire();
    ended_.release();
  }

  // Older than the threads: ThreadSanitizer does not see how RocksDB hands them what is newer.
  static inline std::counting_semaphore<> started_{0};
  static inline std::counting_semaphore<> release_{0};
  static inline std::counting_semaphore<> ended_{0};
  int held_ = 0;
};

// A database whose log cannot be synced.
class BrokenDisk final : public rocksdb::StackableDB {
 public:
  BrokenDisk() : StackableDB(static_cast<rocksdb::DB*>(nullptr)) {}
  rocksdb::Status SyncWAL() override {
    ++syncs;
    return rocksdb::Status::IOError("no");
  }
  int syncs = 0;
};

class WalSwitchTest : public ::testing::Test {
 protected:
  static constexpr int kBatches = 200;
  static constexpr std::size_t kBatchBytes = 1000;

  static std::string Key(int i) { return std::to_string(1000 + i); }

  // The files of a store as a power cut may leave them while nothing was ever synced by its user:
  // batches 0, 1, ... in two files of the log, of which the first lost its end.
  void WriteTwoFilesAndCutTheFirst() {
    // Large enough to open, small enough to be full soon.
    auto store =
        RocksDbStore::Open(path(), {.state_write_buffer_bytes = 64 << 10}, logger_).value();
    const FlushesHeld held;
    for (int i = 0; i < kBatches && Wals().size() < 2; ++i) {
      WriteBatch batch;
      batch.Put(Family::kState, Key(i), std::string(kBatchBytes, 'v'));
      ASSERT_TRUE(store->Write(std::move(batch), {}));
      written_ = i + 1;
    }
    ASSERT_EQ(Wals().size(), 2U);
    fs::copy(path(), copy(), fs::copy_options::recursive);
    const fs::path first = copy() / Wals().front().filename();
    fs::resize_file(first, fs::file_size(first) - 3 * kBatchBytes / 2);
  }

  // Those with a batch in them, oldest first.
  std::vector<fs::path> Wals() const {
    std::vector<fs::path> wals;
    for (const auto& entry : fs::directory_iterator(path())) {
      if (entry.path().extension() == ".log" && entry.file_size() > 0) {
        wals.push_back(entry.path());
      }
    }
    std::sort(wals.begin(), wals.end());
    return wals;
  }

  // How many batches are there, if they are a prefix.
  std::optional<int> Prefix(const Store& store) const {
    int there = 0;
    for (int i = 0; i < written_; ++i) {
      if (store.Get(Family::kState, Key(i)).value().has_value()) {
        if (there < i) {
          return std::nullopt;
        }
        ++there;
      }
    }
    return there;
  }

  std::string path() const { return folder_.path() + "/db"; }
  fs::path copy() const { return folder_.path() + "/copy"; }

  env::TemporaryFolder folder_;
  env::RecordingLogger logger_;
  int written_ = 0;
};

// The end of the first file was durable before the second got a batch, so what is missing was lost
// by the disk: it is not passed over.
TEST_F(WalSwitchTest, StoreThatLostTheEndOfAnOlderFileDoesNotOpenWithAHole) {
  WriteTwoFilesAndCutTheFirst();
  const auto refused = RocksDbStore::Open(copy(), {}, logger_);
  ASSERT_FALSE(refused) << "a prefix: " << Prefix(**refused).has_value();
  EXPECT_EQ(refused.error().code(), Code::kCorruption);
  EXPECT_THAT(refused.error().message(), HasSubstr("Size mismatch"));
}

TEST_F(WalSwitchTest, OperatorWhoAcceptsTheLossGetsAPrefix) {
  WriteTwoFilesAndCutTheFirst();
  const auto store = RocksDbStore::Open(copy(), {.accept_damaged_wal = true}, logger_).value();
  const std::optional<int> prefix = Prefix(*store);
  ASSERT_TRUE(prefix.has_value());
  EXPECT_GT(*prefix, 0);
  EXPECT_LT(*prefix, written_ - 1);  // Nothing of the second file.
}

TEST_F(WalSwitchTest, SyncThatFailsIsTriedOnceAndRemembered) {
  BrokenDisk disk;
  SyncAtWalSwitch listener(logger_);
  listener.OnMemTableSealed({});
  EXPECT_FALSE(listener.failed());  // Nothing to sync before there is a database.
  listener.Attach(disk);
  listener.OnMemTableSealed({});
  listener.OnMemTableSealed({});
  EXPECT_TRUE(listener.failed());
  EXPECT_EQ(disk.syncs, 1);
  EXPECT_EQ(logger_.Count("sync of a log file that ended failed"), 1);
}

}  // namespace
}  // namespace quorate::kv::internal
