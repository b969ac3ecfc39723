// Group: N nodes with one replica each of one partition, an in-memory network between them, one
// simulated clock and one schedule. Production code all the way down to the disk.
//
//   Group group({.replicas = 3, .seed = 1});
//   QUORATE_CHECK(group.StartAll());
//   const ReplicaId leader = *group.AwaitLeader();
//   Transaction transaction = *group.node(leader).manager().Begin({});
//   ...
//   group.Settle();  // Everything that does not need time.
//   group.MoveLeader(ReplicaId{2});
//
// Time passes in turns only. The same seed and the same calls give the same run. Everything runs in
// one thread; nothing runs but inside Turn(), Settle() and what calls them, or through env().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/prng.h"
#include "env/testing/manual_env.h"
#include "raft/replica.h"
#include "raft/testing/memory_network.h"
#include "sim/observed_log.h"
#include "sim/replica_mode.h"
#include "txn/testing/node.h"
#include "txn/transaction_manager.h"

namespace quorate::sim {

struct GroupOptions {
  std::uint64_t replicas = 3;  // 1.., all voters.
  std::uint64_t seed = 1;      // Of the schedule, the network and the elections.
  txn::TransactionManagerOptions transactions{};
  raft::ReplicaOptions replica{};
  bool local_log = false;           // One node over log::LocalLog instead of Raft.
  LogObserver* observer = nullptr;  // Outlives the group.
};

class Group {
 public:
  static constexpr std::chrono::milliseconds kTurn{10};
  static constexpr std::uint64_t kTurnsPerTick = 2;

  explicit Group(const GroupOptions& options);
  ~Group();

  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  std::vector<ReplicaId> ids() const;
  txn::Node& node(ReplicaId id) { return *members_.at(id)->node; }
  bool up(ReplicaId id) { return node(id).is_open(); }
  // How often it was started.
  std::uint64_t lives(ReplicaId id) const { return members_.at(id)->lives; }
  raft::MemoryNetwork& network() { return network_; }
  env::ManualEnv& env() { return env_; }

  // As txn::Node's. What the network holds stays under way.
  Status Start(ReplicaId id);
  Status StartAll();
  void Crash(ReplicaId id, std::size_t keep_unsynced) { node(id).Crash(keep_unsynced); }
  void Crash(ReplicaId id, Prng& prng) { node(id).Crash(prng); }

  // While it does, the replica hears of no tick.
  void SetClockStands(ReplicaId id, bool stands) { members_.at(id)->clock_stands = stands; }

  // Calls `act` with the replica on its strand, once tasks run; not if it is down by then, or has a
  // local log.
  void OnStrand(ReplicaId id, std::function<void(raft::Replica&)> act);

  // One turn: messages that are due arrive, each replica is ticked if its time has come. Nothing
  // runs yet.
  void BeginTurn();
  // One turn, and everything that follows from it.
  void Turn();
  // Runs, and delivers messages, until nothing is left to do; no tick passes.
  void Settle();
  // Turns until `done` says so; false if it has not after `turns_max`.
  bool TurnUntil(const std::function<bool()>& done, std::uint64_t turns_max = kTurnsMax);

  // The replica that leads and accepts transactions, of the highest term if two think so.
  std::optional<ReplicaId> leader();
  // Turns until there is one.
  std::optional<ReplicaId> AwaitLeader(std::uint64_t turns_max = kTurnsMax);
  // Asks the leader to hand over to `to` and turns until `to` leads. False if it does not come to
  // that.
  bool MoveLeader(ReplicaId to, std::uint64_t turns_max = kTurnsMax);

  std::uint64_t turns() const { return turns_; }

 private:
  static constexpr std::uint64_t kTurnsMax = 2000;

  class ObservedMode;
  struct Member {
    ReplicaMode* raft = nullptr;  // What `inner` is, unless the log is local.
    std::unique_ptr<txn::LogMode> inner;
    std::unique_ptr<txn::LogMode> observed;  // Null without an observer.
    std::unique_ptr<txn::Node> node;
    std::uint64_t lives = 0;
    bool clock_stands = false;
  };

  std::unique_ptr<Member> NewMember(ReplicaId id, const std::vector<ReplicaId>& voters,
                                    const GroupOptions& options);

  env::ManualEnv env_;
  raft::MemoryNetwork network_;
  std::map<ReplicaId, std::unique_ptr<Member>> members_;
  std::uint64_t turns_ = 0;
};

}  // namespace quorate::sim
