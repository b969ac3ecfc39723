#include "kv/rocksdb_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "env/testing/loggers.h"
#include "env/testing/temporary_folder.h"

namespace quorate::kv {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RocksDbStoreTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/db"; }

  Result<std::unique_ptr<RocksDbStore>> TryOpen(RocksDbOptions options = {}) {
    return RocksDbStore::Open(path(), options, logger_);
  }
  std::unique_ptr<RocksDbStore> Open() { return TryOpen().value(); }

  static void Put(Store& store, const std::string& key, std::size_t bytes = 10) {
    WriteBatch batch;
    batch.Put(Family::kLog, key, std::string(bytes, 'v'));
    ASSERT_TRUE(store.Write(std::move(batch), {.sync = true}));
  }

  // The files as they are at this moment, as if the process had been killed now.
  void CopyAside() { fs::copy(path(), folder_.path() + "/copy", fs::copy_options::recursive); }
  void UseCopy() {
    fs::remove_all(path());
    fs::rename(folder_.path() + "/copy", path());
  }

  // The write-ahead log that holds the newest records.
  fs::path NewestLog() const {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(path())) {
      if (entry.path().extension() == ".log" && fs::file_size(entry.path()) > 0) {
        newest = std::max(newest, entry.path());
      }
    }
    return newest;
  }

  env::TemporaryFolder folder_;
  env::RecordingLogger logger_;
};

TEST_F(RocksDbStoreTest, KeepsWhatWasWrittenAcrossAKill) {
  auto store = Open();
  Put(*store, "a");
  CopyAside();
  store = nullptr;
  UseCopy();
  EXPECT_TRUE(Open()->Get(Family::kLog, "a").value().has_value());
}

TEST_F(RocksDbStoreTest, SecondOpenSaysThatTheDirectoryIsInUse) {
  const auto store = Open();
  const auto second = TryOpen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(second.error().message(), HasSubstr("another process uses this data directory"));
}

TEST_F(RocksDbStoreTest, RecordTornAtTheEndOfTheLogIsDroppedAlone) {
  auto store = Open();
  Put(*store, "a");
  Put(*store, "b", 1000);
  CopyAside();
  store = nullptr;
  UseCopy();
  fs::resize_file(NewestLog(), fs::file_size(NewestLog()) - 500);

  store = Open();
  EXPECT_TRUE(store->Get(Family::kLog, "a").value().has_value());
  EXPECT_FALSE(store->Get(Family::kLog, "b").value().has_value());
}

// A record of several blocks, cut off anywhere, or followed by what a file system shows of blocks
// that were allocated and never written.
TEST_F(RocksDbStoreTest, LargeRecordTornAnywhereIsDroppedAlone) {
  auto store = Open();
  Put(*store, "a");
  Put(*store, "b", 100'000);
  CopyAside();
  store = nullptr;
  const std::string pristine = folder_.path() + "/copy";
  for (const std::size_t cut : {1U, 5'000U, 34'464U, 40'000U, 70'000U, 99'990U}) {
    for (const bool zeros : {false, true}) {
      SCOPED_TRACE(testing::Message() << cut << (zeros ? " with zeros" : ""));
      fs::remove_all(path());
      fs::copy(pristine, path(), fs::copy_options::recursive);
      const fs::path log = NewestLog();
      fs::resize_file(log, fs::file_size(log) - cut);
      if (zeros) {
        fs::resize_file(log, fs::file_size(log) + 200'000);  // The file system's zeros.
      }
      Result<std::unique_ptr<RocksDbStore>> opened = TryOpen();
      if (!opened) {
        ADD_FAILURE() << opened.error().ToString();
        continue;
      }
      EXPECT_TRUE((*opened)->Get(Family::kLog, "a").value().has_value());
      EXPECT_FALSE((*opened)->Get(Family::kLog, "b").value().has_value());
      WriteBatch batch;
      batch.Put(Family::kLog, "c", "");
      EXPECT_TRUE((*opened)->Write(std::move(batch), {.sync = true}));
    }
  }
}

TEST_F(RocksDbStoreTest, LastRecordWithABlockThatNeverReachedTheDiskIsDroppedAlone) {
  auto store = Open();
  Put(*store, "a");
  Put(*store, "b", 100'000);
  CopyAside();
  store = nullptr;
  UseCopy();
  {
    std::fstream log(NewestLog(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(40'000);
    log.write(std::string(8192, '\0').data(), 8192);
  }

  store = Open();
  EXPECT_TRUE(store->Get(Family::kLog, "a").value().has_value());
  EXPECT_FALSE(store->Get(Family::kLog, "b").value().has_value());
  EXPECT_EQ(logger_.Count("when the power went"), 1);
}

TEST_F(RocksDbStoreTest, DamageInTheMiddleOfTheLogRefusesToOpenUntilTheOperatorAcceptsIt) {
  auto store = Open();
  Put(*store, "a");
  Put(*store, "b", 1000);
  Put(*store, "c");
  CopyAside();
  store = nullptr;
  UseCopy();
  {
    std::fstream log(NewestLog(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(500);  // Inside the value of b.
    log.put('x');
  }

  const auto refused = TryOpen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kCorruption);

  store = TryOpen({.accept_damaged_wal = true}).value();
  EXPECT_TRUE(store->Get(Family::kLog, "a").value().has_value());
  EXPECT_FALSE(store->Get(Family::kLog, "c").value().has_value());
}

TEST_F(RocksDbStoreTest, ReadOnlySeesEverythingAndChangesNothing) {
  EXPECT_EQ(TryOpen({.read_only = true}).error().code(), Code::kNotFound);
  EXPECT_FALSE(fs::exists(path()));
  Put(*Open(), "a");

  const auto store = TryOpen({.read_only = true}).value();
  EXPECT_TRUE(store->Get(Family::kLog, "a").value().has_value());
  WriteBatch batch;
  batch.Put(Family::kLog, "b", "");
  EXPECT_FALSE(store->Write(std::move(batch), {}));
}

TEST_F(RocksDbStoreTest, MemoryStaysBoundedHoweverMuchIsWritten) {
  const auto store = TryOpen({.write_buffers_bytes_max = 4 << 20,
                              .log_write_buffer_bytes = 1 << 20,
                              .block_cache_bytes_max = 1 << 20})
                         .value();
  for (int i = 0; i < 64; ++i) {
    WriteBatch batch;
    batch.Put(Family::kLog, std::to_string(i), std::string(1 << 20, 'v'));
    ASSERT_TRUE(store->Write(std::move(batch), {}));
  }
  EXPECT_LT(store->MemoryBytes(), 16U << 20);
}

TEST_F(RocksDbStoreTest, PathThatCannotBeMadeIsAnErrorThatNamesIt) {
  const auto store = RocksDbStore::Open(folder_.path() + "/no/such/db", {}, logger_);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message(), HasSubstr("/no/such/db"));
}

}  // namespace
}  // namespace quorate::kv
