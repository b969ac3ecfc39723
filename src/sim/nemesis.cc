#include "sim/nemesis.h"

#include <string>

namespace quorate::sim {

Faults SomeOf(Faults all, Prng& prng) {
  constexpr std::uint64_t kMoreOften = 4;
  for (std::uint64_t* turns : {&all.crash, &all.power_cut, &all.failed_write, &all.failed_sync,
                               &all.full_log_disk, &all.full_object_disk, &all.slow_disk,
                               &all.slow_apply, &all.cut, &all.transfer, &all.campaign}) {
    switch (prng.Below(4)) {
      case 0:
        *turns = 0;
        break;
      case 1:
        *turns /= kMoreOften;
        break;
      default:
        break;
    }
  }
  if (prng.OneIn(3)) {
    all.repair *= kMoreOften;
  }
  if (prng.OneIn(3)) {
    all.weather = {};
  }
  return all;
}

Nemesis::Nemesis(const Faults& faults, Group& group, Oracle& oracle, Trace& trace,
                 std::uint64_t seed)
    : faults_(faults), group_(group), oracle_(oracle), trace_(trace), prng_(seed) {
  group_.network().set_weather(faults_.weather);
}

ReplicaId Nemesis::Anyone() {
  return ReplicaId{1 + prng_.Below(group_.ids().size())};
}

// One that thinks so; anyone if nobody does.
ReplicaId Nemesis::Leader() {
  for (const ReplicaId id : group_.ids()) {
    if (group_.up(id) && group_.node(id).manager().status().leading) {
      return id;
    }
  }
  return Anyone();
}

void Nemesis::HealLinks() {
  group_.network().Heal();
  for (const ReplicaId id : group_.ids()) {
    group_.SetClockStands(id, false);
  }
}

void Nemesis::Crash(ReplicaId id, const char* why) {
  txn::Node& node = group_.node(id);
  const std::size_t unsynced = node.disk().unsynced();
  const std::size_t keep = prng_.Below(unsynced + 1);
  ++crashes_;
  trace_.Note("n{} crashes ({}), keeps {} of {} unsynced batches", id.value, why, keep, unsynced);
  group_.Crash(id, keep);
  may_fail_[id] = full_[id];
}

void Nemesis::Start(ReplicaId id) {
  trace_.Note("n{} starts", id.value);
  may_fail_[id] = may_fail_[id] || objects_full_[id];  // What was lost cannot be redone then.
  const Status started = group_.Start(id);
  if (!started && !may_fail_[id]) {
    oracle_.Violate(
        "raft", "n" + std::to_string(id.value) + " cannot start: " + started.error().ToString());
  }
}

void Nemesis::Step() {
  if (Chance(faults_.power_cut)) {
    for (const ReplicaId id : group_.ids()) {
      if (group_.up(id)) {
        Crash(id, "power cut");
      }
    }
  }
  for (const ReplicaId id : group_.ids()) {
    if (!group_.up(id)) {
      if (prng_.OneIn(faults_.repair)) {
        Start(id);
      }
      continue;
    }
    HarmProcess(id);
    if (group_.up(id)) {
      HarmDisk(id);
    }
  }
  HarmNetwork();
  Politics();
}

void Nemesis::HarmProcess(ReplicaId id) {
  if (Chance(faults_.crash)) {
    Crash(id, "killed");
    return;
  }
  log::Process& process = group_.node(id).process();
  SlowDown(process.writer(), faults_.slow_disk);
  SlowDown(process.storage(), faults_.slow_apply);
}

void Nemesis::SlowDown(env::GatedStrand& strand, std::uint64_t chance) {
  if (!strand.is_shut() && Chance(chance)) {
    strand.Shut();
  } else if (strand.is_shut() && prng_.OneIn(6)) {
    strand.Open();
  } else if (strand.is_shut()) {
    strand.LetThrough(prng_.Below(2));
  }
}

void Nemesis::HarmDisk(ReplicaId id) {
  txn::Node& node = group_.node(id);
  if (Chance(faults_.failed_write)) {
    trace_.Note("n{}: the next write fails", id.value);
    node.disk().FailNextWrite();
    may_fail_[id] = true;
  }
  if (Chance(faults_.failed_sync)) {
    trace_.Note("n{}: the next sync fails", id.value);
    node.disk().FailNextSync();
    may_fail_[id] = true;
  }
  if (Chance(faults_.full_log_disk)) {
    trace_.Note("n{}: the disk of the log is full", id.value);
    node.disk().SetDiskFull(true);
    full_[id] = may_fail_[id] = true;
  } else if (prng_.OneIn(20)) {
    node.disk().SetDiskFull(false);
    full_[id] = false;
  }
  if (Chance(faults_.full_object_disk)) {
    trace_.Note("n{}: the disk of the objects is full", id.value);
    node.packs.SetDiskFull(true);
    objects_full_[id] = true;
  } else if (prng_.OneIn(10)) {
    node.packs.SetDiskFull(false);
    objects_full_[id] = false;
  }
}

void Nemesis::HarmNetwork() {
  if (group_.ids().size() == 1) {
    return;
  }
  if (Chance(faults_.isolation)) {
    Isolate(Leader());
  } else if (Chance(faults_.cut)) {
    HealLinks();
    const ReplicaId lonely = Anyone();
    const bool both_ways = prng_.OneIn(2);
    for (const ReplicaId other : group_.ids()) {
      if (other != lonely && !prng_.OneIn(3)) {
        trace_.Note("cut {} {} {}", lonely.value, both_ways ? "<->" : "->", other.value);
        group_.network().Cut(lonely, other);
        if (both_ways) {
          group_.network().Cut(other, lonely);
        }
      }
    }
  } else if (prng_.OneIn(faults_.heal)) {
    HealLinks();
  }
}

// Or deaf only, and about to hand over: then another one leads soon, and it takes no entries that
// it would wait for.
void Nemesis::Isolate(ReplicaId id) {
  HealLinks();
  const bool deaf = prng_.OneIn(2);
  trace_.Note("n{} is {}, and its clock stands", id.value, deaf ? "deaf" : "alone");
  group_.SetClockStands(id, true);
  for (const ReplicaId other : group_.ids()) {
    if (other != id) {
      group_.network().Cut(other, id);
    }
    if (other != id && !deaf) {
      group_.network().Cut(id, other);
    }
  }
  if (deaf) {
    const ReplicaId to = Anyone();
    group_.OnStrand(
        id, [to](raft::Replica& replica) { static_cast<void>(replica.TransferLeadership(to)); });
  }
}

void Nemesis::Politics() {
  if (Chance(faults_.transfer)) {
    const ReplicaId to = Anyone();
    group_.OnStrand(Anyone(), [to](raft::Replica& replica) {
      static_cast<void>(replica.TransferLeadership(to));
    });
  }
  if (Chance(faults_.campaign)) {
    group_.OnStrand(Anyone(),
                    [](raft::Replica& replica) { static_cast<void>(replica.Campaign()); });
  }
}

// A write that fails ends the process (log::LogStore), or fences the replica (apply); both are the
// end of this life. Whoever is fenced although his disk was well is a violation.
void Nemesis::Bury() {
  for (const ReplicaId id : group_.ids()) {
    if (!group_.up(id)) {
      continue;
    }
    txn::Node& node = group_.node(id);
    const bool fatal = !node.process().fatal().empty();
    const bool fenced = node.manager().status().fenced;
    if (!fatal && !fenced) {
      continue;
    }
    if (!may_fail_[id]) {
      const Result<txn::Snapshot> refused = node.manager().LocalSnapshot();
      oracle_.Violate("fences", "n" + std::to_string(id.value) + " ended: " +
                                    (refused ? "a write failed" : refused.error().ToString()));
      return;
    }
    Crash(id, "a write failed");
  }
}

void Nemesis::CutPower() {
  trace_.Note("all lose power");
  for (const ReplicaId id : group_.ids()) {
    group_.Crash(id, 0);
  }
  group_.network().Clear();
  for (const ReplicaId id : group_.ids()) {
    Start(id);
  }
}

void Nemesis::Heal() {
  trace_.Note("the storm is over");
  HealLinks();
  group_.network().set_weather({});
  for (const ReplicaId id : group_.ids()) {
    txn::Node& node = group_.node(id);
    node.disk().SetDiskFull(false);
    node.packs.SetDiskFull(false);
    full_[id] = objects_full_[id] = false;
    if (group_.up(id) && may_fail_[id]) {
      Crash(id, "repaired");
    }
    if (!group_.up(id)) {
      Start(id);
    }
    if (group_.up(id)) {
      node.process().writer().Open();
      node.process().storage().Open();
    }
  }
}

}  // namespace quorate::sim
