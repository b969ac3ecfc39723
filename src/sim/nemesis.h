// Nemesis: what goes wrong in a run, and the repair of it.
//
// Processes crash, at any task, with any prefix of what was not synced; writes and syncs fail,
// disks fill and stand still; messages are lost, delayed, doubled, reordered and cut off in one
// direction, perhaps with a clock that stands; leaders are asked to step aside, elections are
// called. A node whose process would have
// ended itself (a failed write) is crashed too. Everybody comes back some time later.
#pragma once

#include <cstdint>
#include <map>

#include "base/ids.h"
#include "base/prng.h"
#include "sim/group.h"
#include "sim/oracle.h"
#include "sim/trace.h"

namespace quorate::sim {

// On average once in so many turns; 0: never.
struct Faults {
  std::uint64_t crash = 300;       // Of each node,
  std::uint64_t repair = 15;       // and its start.
  std::uint64_t power_cut = 2000;  // Of all nodes at once.
  std::uint64_t failed_write = 800;
  std::uint64_t failed_sync = 800;
  std::uint64_t full_log_disk = 1500;
  std::uint64_t full_object_disk = 300;
  std::uint64_t slow_disk = 100;
  std::uint64_t slow_apply = 100;
  std::uint64_t cut = 100;
  std::uint64_t heal = 30;
  std::uint64_t isolation = 80;  // Of a leader whose clock stands: it does not find out.
  std::uint64_t transfer = 100;
  std::uint64_t campaign = 200;
  raft::Weather weather{.drop_percent = 4, .duplicate_percent = 2, .delay_turns_max = 3};
};

// Each kind of fault more often, as it is, or never: what one fault hides, a run without it shows.
Faults SomeOf(Faults all, Prng& prng);

class Nemesis {
 public:
  // All outlive it.
  Nemesis(const Faults& faults, Group& group, Oracle& oracle, Trace& trace, std::uint64_t seed);

  // Once a turn, before its tasks run.
  void Step();
  // After tasks have run: buries the processes that ended themselves.
  void Bury();
  // The end of all faults: links heal, disks have room, everybody is started.
  void Heal();
  // All nodes at once lose everything that was not synced, and start again.
  void CutPower();

  std::uint64_t crashes() const { return crashes_; }

 private:
  bool Chance(std::uint64_t turns) { return turns != 0 && prng_.OneIn(turns); }
  ReplicaId Anyone();
  ReplicaId Leader();
  void HealLinks();
  void Crash(ReplicaId id, const char* why);
  void Start(ReplicaId id);
  void HarmProcess(ReplicaId id);
  void HarmDisk(ReplicaId id);
  void SlowDown(env::GatedStrand& strand, std::uint64_t chance);
  void HarmNetwork();
  void Isolate(ReplicaId id);
  void Politics();

  const Faults faults_;
  Group& group_;
  Oracle& oracle_;
  Trace& trace_;
  Prng prng_;
  std::map<ReplicaId, bool> may_fail_;  // A write of this life was told to fail.
  std::map<ReplicaId, bool> full_;      // The disk of its log; a crash makes no room.
  std::map<ReplicaId, bool> objects_full_;
  std::uint64_t crashes_ = 0;
};

}  // namespace quorate::sim
