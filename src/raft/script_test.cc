// Runs every scenario in testdata/ and compares what happens with what is written there.
// REWRITE=1 writes down what happens instead; read the difference before you commit it.
#include "raft/testing/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace quorate::raft {
namespace {

constexpr const char* kFolder = "src/raft/testdata";  // Tests run in the source folder.

std::vector<std::string> Scenarios() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() == ".txt") {
      names.push_back(file.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ScriptTest : public testing::TestWithParam<std::string> {};

TEST_P(ScriptTest, HappensAsWritten) {
  const std::string path = std::string(kFolder) + "/" + GetParam() + ".txt";
  std::ifstream file(path);
  std::stringstream expected;
  expected << file.rdbuf();

  const Result<std::string> actual = RunScript(expected.str());

  ASSERT_TRUE(actual.has_value()) << path << ": " << actual.error().message();
  if (std::getenv("REWRITE") != nullptr) {
    std::ofstream(path) << *actual;
    return;
  }
  EXPECT_EQ(*actual, expected.str()) << path << " (REWRITE=1 writes what happened)";
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ScriptTest, testing::ValuesIn(Scenarios()),
                         [](const auto& scenario) {
                           std::string name = scenario.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ScriptTest, FindsItsScenarios) {
  EXPECT_GE(Scenarios().size(), 10U);
}

TEST(ScriptTest, NamesTheLineItCannotRead) {
  const Result<std::string> result = RunScript("start 1\n----\n\nfly 1\n----\n\n");

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(), "line 4: unknown command fly");
}

}  // namespace
}  // namespace quorate::raft
