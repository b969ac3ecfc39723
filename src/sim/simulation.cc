#include "sim/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sim/follower.h"
#include "sim/group.h"
#include "sim/pack_transfer.h"
#include "sim/replica_check.h"

namespace quorate::sim {
namespace {

constexpr std::uint64_t kConsumerEntriesMax = 25;

std::uint64_t ReplicasFor(const SimulationOptions& options) {
  static constexpr std::uint64_t kSizes[] = {3, 1, 3, 5, 3, 1, 3, 3};
  return options.replicas.value_or(kSizes[options.seed % 8]);
}

Workload WorkloadFor(const SimulationOptions& options) {
  return options.workload.value_or(*FindWorkload(options.seed % 3 == 0 ? "skew" : "mixed"));
}

Faults FaultsFor(const SimulationOptions& options, Prng& prng) {
  return options.faults ? *options.faults : SomeOf(Faults(), prng);
}

// Small limits, so that every one of them is met, and short elections, so that a run has many.
GroupOptions GroupFor(const SimulationOptions& options, LogObserver& observer) {
  GroupOptions group;
  group.replicas = ReplicasFor(options);
  group.seed = options.seed;
  group.local_log = group.replicas == 1 && options.local_log.value_or(options.seed % 16 == 1);
  group.observer = &observer;
  group.transactions.testing = options.mistakes.txn;
  group.transactions.window.bytes_max = 10'000;
  group.transactions.window.tail_entries = 0;  // So that what is left over is seen.
  group.transactions.in_flight_max = 8;
  group.transactions.entries_kept = 10;
  group.transactions.consumer_entries_max = kConsumerEntriesMax;
  group.replica.testing = options.mistakes.raft;
  group.replica.election_ticks = 5;
  group.replica.heartbeat_ticks = 1;
  group.replica.inflight_messages_max = 8;
  group.replica.message_bytes_max = 2048;
  group.replica.uncommitted_bytes_max = 4 << 10;
  group.replica.committed_bytes_per_ready_max = 2048;
  group.replica.cache_bytes_max = 1024;
  group.replica.unapplied_bytes_max = 4096;
  return group;
}

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options)
      : options_(options),
        prng_(options.seed * 7 + 3),
        oracle_({.judge_reads = options.judge_reads, .consumer_entries_max = kConsumerEntriesMax}),
        group_(GroupFor(options, oracle_)),
        trace_(group_.env(), options.trace),
        workload_(WorkloadFor(options)),
        nemesis_(FaultsFor(options, prng_), group_, oracle_, trace_, prng_.Next()),
        check_(group_, oracle_) {
    oracle_.SetTrace(trace_);
    for (int number = 1; number <= options.clients; ++number) {
      clients_.push_back(std::make_unique<Client>(fmt::format("c{}", number), workload_, group_,
                                                  oracle_, prng_.Next()));
    }
    for (int number = 1; number <= options.followers; ++number) {
      followers_.push_back(std::make_unique<Follower>(fmt::format("f{}", number), workload_, group_,
                                                      oracle_, prng_.Next()));
    }
  }

  SimulationResult Run();

 private:
  bool well() const { return !oracle_.violation(); }
  void Turn(bool storm);
  void RunTasks(bool all);
  void KeepHouse();
  void Calm();
  void CalmDown();
  bool AllAnswered() const;

  const SimulationOptions& options_;
  Prng prng_;
  Oracle oracle_;
  Group group_;
  const PackTransfer transfer_{group_};
  Trace trace_;
  const Workload workload_;
  Nemesis nemesis_;
  ReplicaCheck check_;
  // Last: they hold what is in the group.
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

void Simulation::RunTasks(bool all) {
  if (all) {
    group_.env().RunUntilIdle();
    return;
  }
  for (std::uint64_t tasks = prng_.Below(40); tasks > 0 && group_.env().RunOne(); --tasks) {
  }
}

// What a node does now and then: it syncs the objects.
void Simulation::KeepHouse() {
  for (const ReplicaId id : group_.ids()) {
    if (group_.up(id) && prng_.OneIn(15)) {
      static_cast<void>(group_.node(id).manager().SyncObjects());  // Refused if it is fenced.
    }
  }
}

void Simulation::Turn(bool storm) {
  group_.BeginTurn();
  for (const std::unique_ptr<Client>& client : clients_) {
    client->Step(/*finishing=*/!storm);
  }
  for (const std::unique_ptr<Follower>& follower : followers_) {
    follower->Step(/*finishing=*/!storm);
  }
  if (storm) {
    nemesis_.Step();
  }
  KeepHouse();
  RunTasks(!storm || prng_.OneIn(2));
  nemesis_.Bury();
  if (prng_.OneIn(16)) {
    check_.CheckStates();
  }
}

bool Simulation::AllAnswered() const {
  return std::ranges::all_of(clients_, [](const auto& client) { return client->idle(); }) &&
         std::ranges::all_of(followers_,
                             [](const auto& follower) { return follower->client().idle(); });
}

// Then one more transaction: it shows that the group takes transactions, and when it is applied,
// nothing of those before it is held in memory any more.
void Simulation::Calm() {
  nemesis_.Heal();
  CalmDown();
  if (well()) {
    Spec last;
    last.keys.push_back({.key = "last", .expected = {}, .value = "word"});
    clients_.front()->Want(std::move(last));
    CalmDown();
  }
}

void Simulation::CalmDown() {
  for (int turn = 0; well() && !(AllAnswered() && check_.Converged()); ++turn) {
    if (turn == options_.calm_turns_max) {
      for (const std::unique_ptr<Client>& client : clients_) {
        trace_.Note("still: {}", client->DebugString());
      }
      for (const std::unique_ptr<Follower>& follower : followers_) {
        trace_.Note("still: {}", follower->client().DebugString());
      }
      oracle_.Violate("liveness", fmt::format("after {} turns of calm, {}", turn,
                                              AllAnswered() ? "replicas differ in what they applied"
                                                            : "a client has no answer"));
      return;
    }
    Turn(/*storm=*/false);
  }
}

SimulationResult Simulation::Run() {
  trace_.Note("seed {}: {} nodes", options_.seed, group_.ids().size());
  for (const ReplicaId id : group_.ids()) {
    if (!group_.Start(id)) {
      oracle_.Violate("raft", "a new node cannot start");
    }
  }
  for (int turn = 0; turn < options_.storm_turns && well(); ++turn) {
    Turn(/*storm=*/true);
  }
  if (well()) {
    Calm();
  }
  if (well()) {
    check_.CheckEnd(/*restarted=*/false);
  }
  if (well()) {
    nemesis_.CutPower();
    CalmDown();
  }
  if (well()) {
    check_.CheckEnd(/*restarted=*/true);
  }
  if (well()) {
    oracle_.CheckHistory();
  }
  trace_.Mix(group_.network().digest());
  return {.violation = oracle_.violation(),
          .hash = trace_.hash(),
          .turns = group_.turns(),
          .crashes = nemesis_.crashes(),
          .totals = oracle_.totals()};
}

}  // namespace

SimulationResult Simulate(const SimulationOptions& options) {
  return Simulation(options).Run();
}

std::optional<Workload> FindWorkload(std::string_view name) {
  if (name == "mixed") {
    return Workload{};
  }
  if (name == "skew") {  // Reads decide over writes elsewhere: what only serializable forbids.
    return Workload{.serializable = 95, .partial = 0, .keys = 40, .range_reads = 60, .blind = 60};
  }
  if (name == "refs") {
    return Workload{.serializable = 20, .heads = 0, .configs = 0, .keys = 0};
  }
  if (name == "keys") {
    return Workload{.heads = 0, .configs = 0, .keys = 100, .packs = 0};
  }
  return std::nullopt;
}

}  // namespace quorate::sim
