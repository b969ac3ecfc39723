// Crashes in the middle of creating and deleting: a child process is killed at a fault point, and
// the next Open() finishes what it had begun.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <tuple>

#include "base/fault_point.h"
#include "cluster/testing/world.h"
#include "env/testing/temporary_folder.h"

namespace quorate::cluster {
namespace {

// The death test's child runs this test anew, from the start: it must find its parent's folder.
constexpr const char* kDataVariable = "QUORATE_NODE_CRASH_TEST_DATA";

class NodeCrashTest : public testing::TestWithParam<std::tuple<LogMode, std::string>> {
 protected:
  NodeCrashTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv(kDataVariable, (folder_.path() + "/data").c_str(), 0);
    data_ = std::getenv(kDataVariable);
  }
  ~NodeCrashTest() override { ::unsetenv(kDataVariable); }

  LogMode mode() const { return std::get<0>(GetParam()); }
  std::string fault() const { return "cluster." + std::get<1>(GetParam()); }

  // In the child, which dies of it.
  void CreateAndDeleteWithFault() {
    World world(data_, mode());
    QUORATE_CHECK(world.Open());
    {
      const auto kept = world.Create("kept").value();
      QUORATE_CHECK(World::Write(*kept, "k", "v"));
      QUORATE_CHECK(world.Create("old"));
    }
    QUORATE_CHECK(ArmFaultPoints(fault() + "=crash"));
    static_cast<void>(world.Create("new"));
    static_cast<void>(world.Delete("old"));
  }

  const env::TemporaryFolder folder_;
  std::string data_;
};

class CreateCrashTest : public NodeCrashTest {};
class DeleteCrashTest : public NodeCrashTest {};

TEST_P(CreateCrashTest, NextOpenFinishesTheCreation) {
  EXPECT_EXIT(CreateAndDeleteWithFault(), testing::KilledBySignal(SIGKILL), "");

  World world(data_, mode());
  ASSERT_TRUE(world.Open());

  EXPECT_EQ(world.logger.Count("finishing what was cut off repository=new"), 1);
  const auto created = world.Find("new");
  ASSERT_TRUE(created) << created.error().ToString();
  EXPECT_TRUE(World::Write(**created, "k", "v"));
  EXPECT_EQ(World::Read(*world.Find("kept").value(), "k").value(), "v");
  EXPECT_TRUE(world.Find("old"));
}

TEST_P(DeleteCrashTest, NextOpenFinishesTheDeletion) {
  EXPECT_EXIT(CreateAndDeleteWithFault(), testing::KilledBySignal(SIGKILL), "");

  World world(data_, mode());
  ASSERT_TRUE(world.Open());

  EXPECT_EQ(world.logger.Count("finishing what was cut off repository=old"), 1);
  const auto gone = world.Find("old");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Code::kNotFound);
  EXPECT_EQ(World::Read(*world.Find("kept").value(), "k").value(), "v");
  EXPECT_EQ(world.files.List(data_ + "/partitions").value().size(), 2U);  // Of "kept" and "new".
  EXPECT_TRUE(world.Create("old"));
}

std::string TestName(const testing::TestParamInfo<std::tuple<LogMode, std::string>>& info) {
  return (std::get<0>(info.param) == LogMode::kRaft ? "raft_" : "local_") + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(Points, CreateCrashTest,
                         testing::Combine(testing::Values(LogMode::kRaft, LogMode::kLocal),
                                          testing::Values("create_after_meta",
                                                          "create_after_bootstrap")),
                         TestName);
INSTANTIATE_TEST_SUITE_P(Points, DeleteCrashTest,
                         testing::Combine(testing::Values(LogMode::kRaft, LogMode::kLocal),
                                          testing::Values("delete_after_mark",
                                                          "delete_after_destroy")),
                         TestName);

}  // namespace
}  // namespace quorate::cluster
