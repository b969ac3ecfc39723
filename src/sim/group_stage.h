// GroupStage: three replicas on which a script, or random clients, play; leadership is moved at
// random while nothing is under way. The same seed and the same calls give the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/prng.h"
#include "sim/group.h"
#include "sim/pack_transfer.h"
#include "txn/testing/stage.h"

namespace quorate::sim {

class GroupStage final : public txn::Stage {
 public:
  GroupStage(std::uint64_t seed, txn::TransactionManagerOptions options);

  std::vector<txn::Node*> nodes() override;
  txn::Node& front() override { return group_.node(front_); }

  Status Open() override;
  // By chance the front alone, if all of `together` is there and the others are sound; else all.
  // The others may have a new leader before it is opened again.
  Nodes Crash(const Keep& keep, const Nodes& together) override;
  // Power loss at this replica, whatever is under way. The others go on, and may have a new leader
  // before it is opened again.
  void CrashAlone(txn::Node& node, std::size_t keep_unsynced);
  void Stop() override;

  void BeginStop(Callback<> stopped) override;

  // Until all replicas have applied the same, or would not by themselves.
  void Run() override;
  bool RunOne() override;
  std::function<bool()> WatchWrites() override;

  txn::Node& ChooseHome(bool far) override;
  void Engage(txn::Node& home) override;
  void Pause() override;

 private:
  bool IsLevel();
  bool AnyFenced();
  void Lead(ReplicaId id);
  void PassSomeTime();
  ReplicaId IdOf(const txn::Node& node);

  Prng prng_;
  Group group_;
  const PackTransfer transfer_{group_};
  ReplicaId front_{1};
  bool at_rest_ = false;  // Nothing was handed in since Run().
  bool level_ = false;    // And then all had applied the same, and the front led.
  std::uint64_t idle_turns_ = 0;
};

}  // namespace quorate::sim
