// One run: a group of whole nodes, random clients, a nemesis, and an oracle that watches. One seed
// decides everything: how many nodes there are and over which log, the schedule, the elections, the
// network, the faults, and what the clients want.
//
// A run has a storm, in which everything may go wrong, and a calm, in which nothing does any more:
// then every client must be answered and every replica be the same within a bounded time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "raft/replica.h"
#include "sim/client.h"
#include "sim/nemesis.h"
#include "sim/oracle.h"
#include "sim/trace.h"
#include "txn/transaction_manager.h"

namespace quorate::sim {

// What production code is told to do wrong.
struct Mistakes {
  decltype(raft::ReplicaOptions::testing) raft{};
  decltype(txn::TransactionManagerOptions::testing) txn{};
};

struct SimulationOptions {
  std::uint64_t seed = 1;
  int storm_turns = 200;
  int calm_turns_max = 1000;

  std::optional<std::uint64_t> replicas{};  // Nothing: 1, 3 or 5, as the seed says.
  std::optional<bool> local_log{};          // Likewise; only of one node.
  std::optional<Workload> workload{};       // Likewise.
  std::optional<Faults> faults{};
  int clients = 5;

  int followers = 2;  // Consumers.

  Mistakes mistakes{};      // Planted bugs.
  bool judge_reads = true;  // False: serializability is judged by the graph alone.

  Trace::Sink trace{};  // Empty: none.
};

struct SimulationResult {
  std::optional<Violation> violation;
  std::uint64_t hash = 0;  // Of the trace.
  std::uint64_t turns = 0;
  std::uint64_t crashes = 0;
  Oracle::Totals totals;
};

SimulationResult Simulate(const SimulationOptions& options);

// Named workloads of tools/sim: "mixed", "skew", "refs", "keys". Nothing if there is no such one.
std::optional<Workload> FindWorkload(std::string_view name);

}  // namespace quorate::sim
