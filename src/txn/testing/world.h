// A node alone with an environment of its own. It crashes and comes back when a test says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "env/testing/manual_env.h"
#include "txn/testing/log_mode.h"
#include "txn/testing/node.h"
#include "txn/testing/stage.h"

namespace quorate::txn {

class World final : public Stage {
 public:
  static constexpr PartitionId kPartition = Node::kPartition;

  // `mode` outlives it. With a seed, tasks of different strands interleave at random.
  World(LogMode& mode, std::optional<std::uint64_t> seed,
        TransactionManagerOptions options = WithoutTail());
  // Owns its mode.
  World(std::unique_ptr<LogMode> mode, std::optional<std::uint64_t> seed,
        TransactionManagerOptions options = WithoutTail());

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  bool is_open() const { return node_.is_open(); }
  void Crash(std::size_t keep_unsynced) { node_.Crash(keep_unsynced); }
  void Crash(Prng& prng) { node_.Crash(prng); }

  // Stage:
  std::vector<Node*> nodes() override { return {&node_}; }
  Node& front() override { return node_; }
  Status Open() override;
  Nodes Crash(const Keep& keep, const Nodes& together) override;
  void Stop() override;
  void BeginStop(Callback<> stopped) override;
  void Run() override { mode_.Run(env_); }
  bool RunOne() override { return env_.RunOne(); }
  std::function<bool()> WatchWrites() override;
  Node& ChooseHome(bool) override { return node_; }
  void Engage(Node&) override {}
  void Pause() override {}

  void PostOnStrand(env::Task task) { node_.process().strand().Post(std::move(task)); }
  // Runs `task` on the partition's strand and what follows from it.
  void RunOnStrand(env::Task task);

  TransactionManager& manager() { return node_.manager(); }
  env::ManualEnv& env() { return env_; }
  log::LogStore& logs() { return node_.process().logs(); }
  log::LogStatus log_status();
  Position position();

 private:
  const std::unique_ptr<LogMode> owned_;  // Null if somebody else owns the mode.
  LogMode& mode_;
  env::ManualEnv env_;
  Node node_;

 public:
  kv::MemoryStore& disk = node_.disk();
  git::FakePacks& packs = node_.packs;
  env::FakeMetrics& metrics = node_.metrics;
  env::RecordingLogger& logger = node_.logger;
  std::vector<Sha256Digest>& named_beside_the_log = node_.named_beside_the_log;
};

// An object id made of one letter, and a reference's value that is one.
git::ObjectId IdOf(char letter);
RefValue ValueOf(char letter);

}  // namespace quorate::txn
