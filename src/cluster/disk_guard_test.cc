#include "cluster/disk_guard.h"

#include <gtest/gtest.h>

#include "env/posix/file_system.h"
#include "env/testing/manual_env.h"

namespace quorate::cluster {
namespace {

using std::chrono::milliseconds;

class FullableFileSystem final : public env::PosixFileSystem {
 public:
  Result<std::uint64_t> SpaceAvailable(const std::string& /*path*/) override {
    ++asked;
    if (broken) {
      return Error(Code::kInternal, "statvfs");
    }
    return free;
  }

  std::uint64_t free = 1 << 30;
  bool broken = false;
  int asked = 0;
};

class DiskGuardTest : public testing::Test {
 protected:
  env::ManualEnv env_;
  FullableFileSystem files_;
  const DiskGuard guard_{{.path = "/", .free_bytes_min = 64 << 20}, files_, env_};
};

TEST_F(DiskGuardTest, RefusesBelowTheReserveAndWorksAgainWithSpace) {
  files_.free = (12 << 20) + 1;

  const Status full = guard_.Check();
  files_.free = 64 << 20;
  env_.Advance(milliseconds(200));
  const Status roomy = guard_.Check();

  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(full.error().message(), "disk is almost full: 12 MiB free, 64 MiB are kept");
  EXPECT_TRUE(roomy);
}

TEST_F(DiskGuardTest, AsksTheSystemOnlyNowAndThen) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(guard_.Check());
  }
  EXPECT_EQ(files_.asked, 1);

  env_.Advance(milliseconds(199));
  EXPECT_TRUE(guard_.Check());
  EXPECT_EQ(files_.asked, 1);

  env_.Advance(milliseconds(1));
  EXPECT_TRUE(guard_.Check());
  EXPECT_EQ(files_.asked, 2);
}

TEST_F(DiskGuardTest, ASystemThatDoesNotSayStopsNobody) {
  files_.broken = true;

  EXPECT_TRUE(guard_.Check());
}

}  // namespace
}  // namespace quorate::cluster
