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
#include <string>
#include <vector>

#include "log_modes.h"
#include "txn/testing/scenario.h"

namespace quorate::txn {
namespace {

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

void Play(const std::filesystem::path& file, const Script& script, LogMode& mode,
          ScriptedMode* scripted, bool rewrite) {
  Scenario scenario(mode, scripted);
  std::vector<std::string> outputs;
  for (const ScriptStep& step : script.steps) {
    outputs.push_back(scenario.Run(step.command));
    if (!rewrite) {
      EXPECT_EQ(outputs.back(), step.output)
          << file.filename() << ":" << step.line << ": " << step.command;
    }
  }
  const std::vector<std::string> wrong = scenario.Finish();
  EXPECT_EQ(wrong, std::vector<std::string>()) << "after the end of " << file.filename();
  if (rewrite) {
    std::ofstream(file, std::ios::binary) << Rewritten(script, outputs);
  }
}

class ScenarioTest : public ::testing::Test {
 public:
  ScenarioTest(std::filesystem::path file, ModeFactory mode)
      : file_(std::move(file)), mode_(std::move(mode)) {}

  void TestBody() override {
    const Script script = ParseScript(ReadAll(file_));
    ASSERT_FALSE(script.steps.empty());
    const char* rewrite = std::getenv("QUORATE_REWRITE");
    if (script.scripted) {
      ScriptedMode scripted;
      Play(file_, script, scripted, &scripted, rewrite != nullptr);
      return;
    }
    const std::unique_ptr<LogMode> mode = mode_();
    Play(file_, script, *mode, nullptr, rewrite != nullptr && mode->name() == "local");
  }

 private:
  const std::filesystem::path file_;
  const ModeFactory mode_;
};

void RegisterAll() {
  for (const auto& [mode, factory] : LogModes()) {
    for (const std::filesystem::path& file : ScriptFiles()) {
      const bool scripted = ParseScript(ReadAll(file)).scripted;
      if (scripted && mode != "local") {
        continue;  // Such a script has a mode of its own: once is enough.
      }
      const std::string suite = "Scenario_" + (scripted ? std::string("scripted") : mode);
      ::testing::RegisterTest(suite.c_str(), file.stem().c_str(), nullptr, nullptr, file.c_str(), 1,
                              [file, factory = factory]() -> ::testing::Test* {
                                return new ScenarioTest(file, factory);
                              });
    }
  }
}

}  // namespace
}  // namespace quorate::txn

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  quorate::txn::RegisterAll();
  return RUN_ALL_TESTS();
}
