#include "base/fault_point.h"

#include <gtest/gtest.h>

namespace quorate {
namespace {

class FaultPointTest : public testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(ArmFaultPoints("")); }
};

TEST_F(FaultPointTest, DisarmedPointsPass) {
  EXPECT_TRUE(QUORATE_FAULT_STATUS("a"));
}

TEST_F(FaultPointTest, FailsOnTheNamedPassageOnly) {
  ASSERT_TRUE(ArmFaultPoints("a=fail@2"));

  EXPECT_TRUE(QUORATE_FAULT_STATUS("a"));
  EXPECT_FALSE(QUORATE_FAULT_STATUS("a"));
  EXPECT_TRUE(QUORATE_FAULT_STATUS("a"));
  EXPECT_TRUE(QUORATE_FAULT_STATUS("b"));
  EXPECT_EQ(FaultPointPassages("a"), 3);
}

TEST_F(FaultPointTest, RefusesWhatItCannotRead) {
  EXPECT_EQ(ArmFaultPoints("a").error().message(), "fault 'a' is not NAME=ACTION");
  EXPECT_EQ(ArmFaultPoints("a=explode").error().message(),
            "fault action 'explode' is not crash, fail or delay:MS");
  EXPECT_FALSE(ArmFaultPoints("a=fail@x"));
}

TEST_F(FaultPointTest, CrashKillsTheProcess) {
  ASSERT_TRUE(ArmFaultPoints("a=crash"));

  EXPECT_EXIT(QUORATE_FAULT("a"), testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace quorate
