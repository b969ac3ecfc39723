// Every script of test/scenarios, in every mode of the log. With QUORATE_REWRITE=1 the scripts take
// the output that they have now (of the first mode): review the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/testing/seeds.h"
#include "log_modes.h"
#include "txn/testing/scenario.h"
#include "txn/testing/scripted_log.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

constexpr std::size_t kScriptsWithFewerModes = 2;

std::vector<std::filesystem::path> ScriptFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(QUORATE_SCENARIOS)) {
    if (entry.path().extension() == ".txt") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The script with these outputs in place of its own.
std::string Rewritten(const Script& script, const std::vector<std::string>& outputs) {
  std::string text;
  std::size_t step = 0;
  for (std::size_t i = 0; i < script.text.size(); ++i) {
    const std::string& line = script.text[i];
    if (line.starts_with("  ")) {
      continue;
    }
    text += line + "\n";
    if (step < script.steps.size() && script.steps[step].line == static_cast<int>(i) + 1) {
      const std::string& output = outputs[step++];
      for (std::size_t at = 0; at < output.size();) {
        const std::size_t end = output.find('\n', at);
        text += "  " + output.substr(at, end - at) + "\n";
        at = end + 1;
      }
    }
  }
  return text;
}

std::vector<std::string> Play(const std::filesystem::path& file, const Script& script, Stage& stage,
                              ScriptedMode* scripted, bool rewrite) {
  Scenario scenario(script, stage, scripted);
  std::vector<std::string> outputs;
  for (const ScriptStep& step : script.steps) {
    outputs.push_back(scenario.Run(step.command));
    if (!rewrite) {
      EXPECT_EQ(outputs.back(), step.output)
          << file.filename() << ":" << step.line << ": " << step.command;
    }
  }
  EXPECT_EQ(scenario.Finish(), std::vector<std::string>())
      << "after the end of " << file.filename();
  return outputs;
}

class ScenarioTest : public ::testing::Test {
 public:
  ScenarioTest(std::filesystem::path file, std::string mode)
      : file_(std::move(file)), mode_(std::move(mode)) {}

  void TestBody() override {
    const Script script = ParseScript(ReadAll(file_));
    ASSERT_FALSE(script.steps.empty());
    const bool rewrite = std::getenv("QUORATE_REWRITE") != nullptr && mode_ == "local";
    if (script.scripted) {
      ScriptedMode log;
      World world(log, std::nullopt);
      RewriteIf(rewrite, script, Play(file_, script, world, &log, rewrite));
      return;
    }
    const Mode mode = Modes().at(mode_);
    const Seeds seeds =
        mode.script_seeds == 1 ? Seeds{.first = 0, .count = 1} : ChooseSeeds(1, mode.script_seeds);
    for (std::uint64_t seed = seeds.first; seed < seeds.end() && !HasFailure(); ++seed) {
      SCOPED_TRACE("QUORATE_SEED=" + std::to_string(seed));
      const std::unique_ptr<Stage> stage = mode.make(seed, WithoutTail());
      RewriteIf(rewrite, script, Play(file_, script, *stage, nullptr, rewrite));
    }
  }

 private:
  void RewriteIf(bool rewrite, const Script& script, const std::vector<std::string>& outputs) {
    if (rewrite) {
      std::ofstream(file_, std::ios::binary) << Rewritten(script, outputs);
    }
  }

  const std::filesystem::path file_;
  const std::string mode_;
};

void RegisterAll() {
  for (const auto& [mode, made] : Modes()) {
    for (const std::filesystem::path& file : ScriptFiles()) {
      const Script script = ParseScript(ReadAll(file));
      if (script.scripted ? mode != "local" : !script.Means(mode)) {
        continue;  // One that drives the log has a mode of its own: once is enough.
      }
      const std::string suite = "Scenario_" + (script.scripted ? "scripted" : mode);
      ::testing::RegisterTest(
          suite.c_str(), file.stem().c_str(), nullptr, nullptr, file.c_str(), 1,
          [file, mode = mode]() -> ::testing::Test* { return new ScenarioTest(file, mode); });
    }
  }
}

// A mode that a script leaves out is a hole in what the mode is known to do.
TEST(ScenarioModesTest, FewScriptsLeaveAModeOutAndEachSaysWhy) {
  std::size_t fewer = 0;
  for (const std::filesystem::path& file : ScriptFiles()) {
    const Script script = ParseScript(ReadAll(file));
    if (!script.modes.empty()) {
      ++fewer;
      EXPECT_GT(script.why.size(), 10U) << file.filename();
      for (const std::string& mode : script.modes) {
        EXPECT_TRUE(Modes().contains(mode)) << file.filename() << ": " << mode;
      }
    }
  }
  EXPECT_LE(fewer, kScriptsWithFewerModes);
}

}  // namespace
}  // namespace quorate::txn

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  quorate::txn::RegisterAll();
  return RUN_ALL_TESTS();
}
