// Every script of the suite, with a node's process ended at each of its writes to the disk: what
// was told as committed is there, everything else whole or absent, and all that must hold of a node
// at rest holds (txn/testing/audit.h).
//
// A write is a batch of the store, or one operation on the files of packs: to store one beside the
// log, to take that back, to install one, to drop at the start what nobody names, to sync. What a
// crash within such an operation leaves is git's part: git/object_store_crash_test.cc.
//
// Alone, a node ends at each write of each script, and of what is unsynced all or nothing stays. Of
// three replicas each ends at one write in sixteen, and all or nothing stays, as the seed chooses:
// QUORATE_SEED=1 QUORATE_SEED_COUNT=32 plays as many as there are.
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
#include <tuple>
#include <vector>

#include "base/testing/seeds.h"
#include "log_modes.h"
#include "sim/group_stage.h"
#include "txn/testing/scenario.h"

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

// Those that this mode can play, and survives.
std::vector<Story> Stories(const std::string& mode) {
  std::vector<Story> stories;
  for (const auto& entry : std::filesystem::directory_iterator(QUORATE_SCENARIOS)) {
    if (entry.path().extension() == ".txt") {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      stories.push_back({.name = entry.path().filename(), .script = ParseScript(text)});
    }
  }
  std::erase_if(stories, [&mode](const Story& story) {
    return story.script.scripted || !story.script.Means(mode) ||
           std::ranges::any_of(story.script.steps, DoesDamage);
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

// Everything that a node writes to its disk, counted; the process ends at the `fatal`-th, of which
// nothing is left. 0: it does not end.
class WatchedDisk {
 public:
  WatchedDisk(Node& node, std::uint64_t fatal) : node_(node), fatal_(fatal) {
    node_.disk().SetWriteGate([this] { return Pass(); });
    node_.packs.SetGate([this] { return Pass(); });
  }
  ~WatchedDisk() { Release(); }
  WatchedDisk(const WatchedDisk&) = delete;
  WatchedDisk& operator=(const WatchedDisk&) = delete;

  void Release() {
    node_.disk().SetWriteGate(nullptr);
    node_.packs.SetGate(nullptr);
  }
  std::uint64_t writes() const { return writes_; }
  bool dead() const { return fatal_ != 0 && writes_ >= fatal_; }

 private:
  bool Pass() {
    if (!dead() && ++writes_ == fatal_) {
      node_.process().Halt();
    }
    return !dead();
  }

  Node& node_;
  const std::uint64_t fatal_;
  std::uint64_t writes_ = 0;
};

// One play of a script, with an eye on the disk of one of the replicas.
class Play {
 public:
  // Without a seed, tasks run first come, first served.
  Play(const Story& story, const std::string& mode, std::uint64_t seed, std::size_t replica,
       std::uint64_t fatal)
      : story_(story),
        stage_(Modes().at(mode).make(seed, WithoutTail())),
        scenario_(story.script, *stage_, nullptr),
        node_(*stage_->nodes().at(replica)),
        disk_(node_, fatal) {}

  // To the end, or to that of the process.
  void Run() {
    for (const ScriptStep& step : story_.script.steps) {
      committed_ += CountCommitted(RunCommand(step.command));
      if (disk_.dead()) {
        return;
      }
    }
  }
  std::uint64_t writes() const { return disk_.writes(); }

  // The power goes at the node whose process ended; of what is unsynced all or nothing stays. It
  // comes back.
  void ComeBack(bool keep_unsynced) {
    ASSERT_TRUE(disk_.dead()) << "the script wrote less often than before";
    disk_.Release();
    for (Node* each : stage_->nodes()) {
      each->packs.EndFailures();  // Which the script would have met.
    }
    if (keep_unsynced) {
      ASSERT_TRUE(node_.packs.Sync());
    }
    Crash(keep_unsynced);
    const std::string opened = scenario_.Run("open");
    EXPECT_EQ(opened.find("error"), std::string::npos) << opened;
    ASSERT_TRUE(stage_->front().is_open());
    for (Node* each : stage_->nodes()) {
      each->manager().RetryApply();  // As maintenance does, now that disks have room.
    }
    stage_->Run();
    const Result<Snapshot> snapshot = stage_->front().manager().LocalSnapshot();
    ASSERT_TRUE(snapshot) << snapshot.error().ToString();
    EXPECT_GE(snapshot->CountTransactions().value(), committed_) << "an acknowledged one is lost";
    for (const std::string& wrong : scenario_.Finish()) {
      ADD_FAILURE() << wrong;
    }
  }

 private:
  // A stop that the process does not live to see the end of must not be waited for.
  std::string RunCommand(const std::string& command) {
    stopping_ = command == "stop" || command == "closing" || (stopping_ && command != "open");
    if (command != "stop") {
      return scenario_.Run(command);
    }
    std::string output = scenario_.Run("closing");
    return disk_.dead() ? output : output + scenario_.Run("crash keep=all");
  }

  void Crash(bool keep_unsynced) {
    auto* const group = dynamic_cast<sim::GroupStage*>(stage_.get());
    if (group != nullptr && !stopping_) {
      group->CrashAlone(node_, keep_unsynced ? node_.disk().unsynced() : 0);
      return;
    }
    for (Node* each : stage_->nodes()) {
      each->Crash(keep_unsynced ? each->disk().unsynced() : 0);
    }
  }

  const Story& story_;
  const std::unique_ptr<Stage> stage_;
  Scenario scenario_;
  Node& node_;
  WatchedDisk disk_;
  std::uint64_t committed_ = 0;
  bool stopping_ = false;
};

// The mode, and which of its replicas it is whose process ends.
using Place = std::tuple<std::string, std::size_t>;

class CrashAtIoTest : public ::testing::TestWithParam<Place> {
 protected:
  static constexpr std::uint64_t kShares = 16;

  // Plays the script for each write of this seed's share of them; of seed 0's that is all.
  void PlayAll(const Story& story, std::size_t number, std::uint64_t seed) {
    const auto& [mode, replica] = GetParam();
    Play whole(story, mode, seed, replica, 0);
    whole.Run();
    for (std::uint64_t fatal = 1; fatal <= whole.writes(); ++fatal) {
      if (seed == 0) {
        PlayUntil(fatal, /*keep_unsynced=*/false, story, seed);
        PlayUntil(fatal, /*keep_unsynced=*/true, story, seed);
      } else if ((fatal + number) % kShares == seed % kShares) {
        PlayUntil(fatal, (fatal + seed) / kShares % 2 == 0, story, seed);
      }
      if (HasFailure()) {
        return;
      }
    }
  }

  void PlayUntil(std::uint64_t fatal, bool keep_unsynced, const Story& story, std::uint64_t seed) {
    const auto& [mode, replica] = GetParam();
    SCOPED_TRACE(story.name + ", write " + std::to_string(fatal) +
                 (keep_unsynced ? ", unsynced kept" : ", unsynced lost"));
    Play play(story, mode, seed, replica, fatal);
    play.Run();
    play.ComeBack(keep_unsynced);
    ++crashes_;
  }

  std::uint64_t crashes_ = 0;
};

TEST_P(CrashAtIoTest, WhatWasAcknowledgedIsThereAndTheRestIsWholeOrAbsent) {
  const std::string mode = std::get<0>(GetParam());
  const std::vector<Story> stories = Stories(mode);
  const Seeds seeds = mode == "raft3" ? ChooseSeeds(1, 1) : Seeds{.first = 0, .count = 1};
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    for (std::size_t number = 0; number < stories.size(); ++number) {
      SCOPED_TRACE("QUORATE_SEED=" + std::to_string(seed));
      PlayAll(stories[number], number, seed);
      if (HasFailure()) {
        return;
      }
    }
  }
  RecordProperty("crashes", static_cast<int>(crashes_));
  EXPECT_GT(crashes_, 100U);
}

std::string NameOf(const ::testing::TestParamInfo<Place>& tested) {
  const auto& [mode, replica] = tested.param;
  return mode + (mode == "raft3" ? std::to_string(replica) : "");
}

INSTANTIATE_TEST_SUITE_P(Places, CrashAtIoTest,
                         ::testing::Values(Place("local", 0), Place("raft1", 0), Place("raft3", 0),
                                           Place("raft3", 1), Place("raft3", 2)),
                         NameOf);

}  // namespace
}  // namespace quorate::txn
