// Every script of the suite, with the node's process ended at each of its writes: what was told as
// committed is there, everything else whole or absent, and all that must hold of a node at rest
// holds (txn/testing/audit.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sim/replica_mode.h"
#include "txn/testing/scenario.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

struct Story {
  std::string name;
  Script script;
};

// What is stored is damaged on purpose: such a node may not serve, and need not come back.
bool DoesDamage(const ScriptStep& step) {
  return step.command.starts_with("damage") || step.command == "fail install corruption";
}

// Those that a node alone can play, and survives.
std::vector<Story> Stories() {
  std::vector<Story> stories;
  for (const auto& entry : std::filesystem::directory_iterator(QUORATE_SCENARIOS)) {
    if (entry.path().extension() == ".txt") {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      stories.push_back({.name = entry.path().filename(), .script = ParseScript(text)});
    }
  }
  std::erase_if(stories, [](const Story& story) {
    return story.script.scripted || std::ranges::any_of(story.script.steps, DoesDamage);
  });
  std::ranges::sort(stories, {}, &Story::name);
  return stories;
}

std::uint64_t CountCommitted(const std::string& output) {
  std::istringstream lines(output);
  std::uint64_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    count += line.find(": committed") != std::string::npos ? 1 : 0;
  }
  return count;
}

// A stop that the process does not live to see the end of must not be waited for.
std::string RunCommand(Scenario& scenario, World& world, const std::string& command) {
  if (command != "stop") {
    return scenario.Run(command);
  }
  std::string output = scenario.Run("closing");
  return world.disk.broken() ? output : output + scenario.Run("crash keep=all");
}

class CrashAtIoTest : public ::testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<LogMode> NewMode() {
    return GetParam() == "local" ? NewLocalMode() : sim::NewSoleVoterMode();
  }

  // How often the whole script writes.
  static std::uint64_t CountWrites(const Script& script) {
    World world(NewMode(), std::nullopt);
    Scenario scenario(script, world, nullptr);
    for (const ScriptStep& step : script.steps) {
      RunCommand(scenario, world, step.command);
    }
    return world.disk.writes();
  }

  // From the `fatal`-th write on nothing reaches the disk; then the power goes, and of what is
  // unsynced all or nothing stays.
  static void PlayUntilWrite(const Story& story, std::uint64_t fatal, bool keep_unsynced) {
    World world(NewMode(), std::nullopt);
    world.disk.FailWritesFrom(fatal);
    Scenario scenario(story.script, world, nullptr);
    std::uint64_t committed = 0;
    for (const ScriptStep& step : story.script.steps) {
      committed += CountCommitted(RunCommand(scenario, world, step.command));
      if (world.disk.broken()) {
        break;
      }
    }
    ASSERT_TRUE(world.disk.broken()) << "the script wrote less often than before";
    world.disk.FailWritesFrom(0);
    scenario.Run(keep_unsynced ? "crash keep=all" : "crash");
    const std::string opened = scenario.Run("open");
    EXPECT_EQ(opened.find("error"), std::string::npos) << opened;
    ASSERT_TRUE(world.is_open());
    const Result<Snapshot> snapshot = world.manager().LocalSnapshot();
    ASSERT_TRUE(snapshot) << snapshot.error().ToString();
    EXPECT_GE(snapshot->CountTransactions().value(), committed) << "an acknowledged one is lost";
    for (const std::string& wrong : scenario.Finish()) {
      ADD_FAILURE() << wrong;
    }
  }
};

TEST_P(CrashAtIoTest, WhatWasAcknowledgedIsThereAndTheRestIsWholeOrAbsent) {
  const std::vector<Story> stories = Stories();
  ASSERT_FALSE(stories.empty());
  std::uint64_t crashes = 0;
  for (const Story& story : stories) {
    if (!story.script.Means(GetParam())) {
      continue;
    }
    const std::uint64_t writes = CountWrites(story.script);
    for (std::uint64_t fatal = 1; fatal <= writes; ++fatal) {
      for (const bool keep : {false, true}) {
        SCOPED_TRACE(story.name + ", write " + std::to_string(fatal) +
                     (keep ? ", unsynced kept" : ", unsynced lost"));
        PlayUntilWrite(story, fatal, keep);
        ++crashes;
        if (HasFatalFailure() || HasNonfatalFailure()) {
          return;
        }
      }
    }
  }
  RecordProperty("crashes", static_cast<int>(crashes));
  EXPECT_GT(crashes, 500U);
}

INSTANTIATE_TEST_SUITE_P(Modes, CrashAtIoTest, ::testing::Values("local", "raft1"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace quorate::txn
