#include "http/view_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/testing/fake_metrics.h"
#include "env/testing/manual_env.h"

namespace quorate::http {
namespace {

// Knows directories' names only.
class NamesOnly final : public env::FileSystem {
 public:
  Status CreateDirectories(const std::string& path) override {
    present[path] = true;
    return Ok();
  }
  Status RemoveAll(const std::string& path) override {
    std::erase_if(present, [&](const auto& entry) { return entry.first.starts_with(path); });
    return Ok();
  }
  Status WriteFile(const std::string&, std::string_view) override { return Unused(); }
  Result<std::string> ReadFile(const std::string&) override { return Unused(); }
  Result<std::string> ReadRange(const std::string&, std::uint64_t, std::size_t) override {
    return Unused();
  }
  Result<std::unique_ptr<env::FileLock>> Lock(const std::string&) override { return Unused(); }
  Status Rename(const std::string&, const std::string&) override { return Unused(); }
  bool Exists(const std::string& path) override { return present.contains(path); }
  Result<std::uint64_t> FileSize(const std::string&) override { return Unused(); }
  Result<std::vector<std::string>> List(const std::string&) override { return Unused(); }
  Status Sync(const std::string&) override { return Unused(); }
  Status SyncFileSystem(const std::string&) override { return Unused(); }
  Result<std::uint64_t> SpaceAvailable(const std::string&) override { return Unused(); }

  std::map<std::string, bool> present;

 private:
  static Error Unused() { return Error(Code::kInternal, "not expected here"); }
};

class ViewCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<const ViewCache::View> Get(std::uint64_t partition, std::uint64_t version) {
    auto view = cache_->Get({PartitionId{partition}, RepositoryId{1}, Lsn{version}},
                            [this](const std::string& path) {
                              renders_ += 1;
                              return files_.CreateDirectories(path);
                            });
    return std::move(view).value();
  }

  env::ManualEnv world_;
  env::FakeMetrics metrics_;
  NamesOnly files_;
  int renders_ = 0;
  std::unique_ptr<ViewCache> cache_ =
      std::move(ViewCache::Open("/views", 2, files_, world_, metrics_.GetCounter("hits", "", {}),
                                metrics_.GetCounter("misses", "", {})))
          .value();
};

TEST_F(ViewCacheTest, AViewIsSharedWhileItsVersionIsTheNewest) {
  const auto first = Get(2, 10);
  const auto second = Get(2, 10);

  EXPECT_EQ(first, second);
  EXPECT_EQ(renders_, 1);
  EXPECT_EQ(metrics_.Value("hits"), 1);
}

TEST_F(ViewCacheTest, AReplacedViewStaysWhileItIsRead) {
  auto old = Get(2, 10);
  const std::string path = old->path();

  const auto fresh = Get(2, 11);
  world_.RunUntilIdle();
  EXPECT_TRUE(files_.Exists(path));
  old.reset();
  world_.RunUntilIdle();

  EXPECT_FALSE(files_.Exists(path));
  EXPECT_TRUE(files_.Exists(fresh->path()));
}

TEST_F(ViewCacheTest, AnOlderVersionDoesNotDisplaceANewerOne) {
  const std::string newer = Get(2, 11)->path();

  const std::string older = Get(2, 10)->path();
  world_.RunUntilIdle();

  EXPECT_TRUE(files_.Exists(newer));
  EXPECT_FALSE(files_.Exists(older));
}

TEST_F(ViewCacheTest, TheLeastRecentlyUsedViewGoesAtTheBound) {
  const std::string a = Get(2, 10)->path();
  const std::string b = Get(3, 10)->path();
  Get(2, 10);

  const std::string c = Get(4, 10)->path();
  world_.RunUntilIdle();

  EXPECT_TRUE(files_.Exists(a));
  EXPECT_FALSE(files_.Exists(b));
  EXPECT_TRUE(files_.Exists(c));
}

TEST_F(ViewCacheTest, OpeningWipesWhatACrashLeft) {
  files_.present["/views/7.git"] = true;

  const auto reopened =
      ViewCache::Open("/views", 2, files_, world_, metrics_.GetCounter("h", "", {}),
                      metrics_.GetCounter("m", "", {}));

  EXPECT_TRUE(reopened.has_value());
  EXPECT_FALSE(files_.Exists("/views/7.git"));
  EXPECT_TRUE(files_.Exists("/views"));
}

TEST_F(ViewCacheTest, AFailureToRenderIsTheCallersAndIsNotRemembered) {
  const auto failed = cache_->Get(
      {PartitionId{2}, RepositoryId{1}, Lsn{10}},
      [](const std::string&) { return Status(Error(Code::kResourceExhausted, "planted")); });

  EXPECT_EQ(failed.error().code(), Code::kResourceExhausted);
  EXPECT_NE(Get(2, 10), nullptr);
  EXPECT_EQ(renders_, 1);
}

}  // namespace
}  // namespace quorate::http
