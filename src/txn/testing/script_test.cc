#include "txn/testing/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quorate::txn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ScriptTextTest, CommandsHaveTheirOutputAndTheHeaderItsModes) {
  const Script script = ParseScript(
      "# A story.\n"
      "modes local raft1  # there is nobody to ask\n"
      "\n"
      "state\n"
      "  one\n"
      "  two\n"
      "run\n");

  ASSERT_EQ(script.steps.size(), 2U);
  EXPECT_EQ(script.steps[0].output, "one\ntwo\n");
  EXPECT_EQ(script.steps[1].line, 7);
  EXPECT_THAT(script.modes, ElementsAre("local", "raft1"));
  EXPECT_EQ(script.why, "# there is nobody to ask");
  EXPECT_TRUE(script.Means("local"));
  EXPECT_FALSE(script.Means("raft3"));
  EXPECT_FALSE(script.scripted);
}

TEST(ScriptTextTest, WithoutAHeaderItMeansSomethingInEveryMode) {
  const Script script = ParseScript("mode scripted\nrun\n");

  EXPECT_TRUE(script.scripted);
  EXPECT_THAT(script.modes, IsEmpty());
  EXPECT_TRUE(script.Means("raft3"));
}

TEST(ScriptTextTest, WhatIsInFlightTogetherBeginsAtOneReplica) {
  EXPECT_THAT(PlanHomes(ParseScript("begin a\nbegin b\nbegin c\n"
                                    "commit a\nrun\n"
                                    "commit b c\nrun\n")),
              ElementsAre(0, 1, 1));
  // "begin a" the second time is another transaction.
  EXPECT_THAT(PlanHomes(ParseScript("begin a\nbegin b\ncommit a\ncommit b\nuntil a\n"
                                    "begin a\nbegin c\ncommit a\nrun\ncommit c\nrun\n")),
              ElementsAre(0, 0, 0, 3));
}

}  // namespace
}  // namespace quorate::txn
