#include "sim/planted_bugs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace quorate::sim {
namespace {

using Options = SimulationOptions;

constexpr Faults kOnlyIsolation{.crash = 0,
                                .power_cut = 0,
                                .failed_write = 0,
                                .failed_sync = 0,
                                .full_log_disk = 0,
                                .full_object_disk = 0,
                                .slow_disk = 0,
                                .slow_apply = 0,
                                .cut = 0,
                                .isolation = 50,
                                .transfer = 0,
                                .campaign = 0,
                                .weather = {}};

constexpr auto kBugs = std::to_array<PlantedBug>({
    // The ready loop
    {"skip-sync", "nothing that a replica writes is synced", 30,
     [](Options& options) { options.mistakes.raft.skip_sync = true; }},
    {"send-before-persist", "promises leave before what they promise is on disk", 60,
     [](Options& options) { options.mistakes.raft.send_before_persist = true; }},
    {"report-before-persist", "the engine is told of writes that only have begun", 40,
     [](Options& options) { options.mistakes.raft.report_before_persist = true; }},
    {"split-hard-state", "term and vote are written apart from the entries", 300,
     [](Options& options) { options.mistakes.raft.split_hard_state = true; }},
    {"no-term-fence", "a leader accepts entries before its first one is committed and applied", 60,
     [](Options& options) {
       options.mistakes.raft.lead_without_fence = true;
       options.mistakes.txn.forget_term_fence = true;
     }},
    {"deliver-again", "a start hands the machine what it has applied", 20,
     [](Options& options) { options.mistakes.raft.deliver_again = true; }},
    {"compact-past-members", "the log is cut behind a member that still needs it", 200,
     [](Options& options) { options.mistakes.raft.compact_past_members = true; }},
    {"local-barrier", "a leader answers reads without asking whether it still leads", 20,
     [](Options& options) { options.mistakes.raft.answer_reads_locally = true; }},
    {"repeated-read-contexts",
     "the answer to an earlier question may be taken for that to a later one", 600,
     [](Options& options) { options.mistakes.raft.repeat_read_contexts = true; }},
    {"lease-read", "the engine answers reads on trust in its clock", 150,
     [](Options& options) { options.mistakes.raft.engine.lease_read = true; }},
    {"batch-append", "the engine appends to messages that it has handed out", 150,
     [](Options& options) { options.mistakes.raft.engine.batch_append = true; }},
    // Verification
    {"point-reads-unchecked", "what a serializable transaction read may have changed", 20,
     [](Options& options) { options.mistakes.txn.forget_point_reads = true; }},
    {"phantoms", "names may have come into a range that it found empty", 20,
     [](Options& options) { options.mistakes.txn.forget_prefix_reads = true; }},
    {"assertions-unchecked", "what a transaction asserts need not hold", 20,
     [](Options& options) { options.mistakes.txn.forget_assertions = true; }},
    {"applied-twice-by-id", "a retry is admitted while its first attempt is under way", 20,
     [](Options& options) { options.mistakes.txn.forget_transaction_ids = true; }},
    // The conflict window
    {"window-evicts-behind-floor", "what an open snapshot needs is forgotten, and nobody told", 20,
     [](Options& options) { options.mistakes.txn.evict_behind_floor = true; }},
    {"window-keeps-lost-proposals", "proposals stay in the window when leadership goes", 60,
     [](Options& options) { options.mistakes.txn.keep_lost_proposals = true; }},
    {"window-lacks-others-writes", "a follower's window has nothing when it comes to lead", 100,
     [](Options& options) { options.mistakes.txn.forget_others_writes = true; }},
    // Answers
    {"early-acknowledgement", "committed is said when the entry is appended", 10,
     [](Options& options) { options.mistakes.txn.acknowledge_at_append = true; }},
    {"unknown-is-refused", "who loses leadership says that nothing was done", 100,
     [](Options& options) { options.mistakes.txn.refuse_unknown = true; }},
    // It takes a leader that has lost its place, does not know, and waits for no entry of its own.
    {"unchanged-without-barrier", "\"unchanged\" is said by who may no longer lead", 200,
     [](Options& options) {
       options.mistakes.txn.answer_unchanged = true;
       options.replicas = 3;
       options.workload = Workload{.serializable = 95, .unchanged = 50, .range_reads = 60};
       options.faults = kOnlyIsolation;
     }},
    {"read-before-apply", "a read does not wait for what was committed before it", 60,
     [](Options& options) { options.mistakes.txn.read_before_apply = true; }},
    {"read-at-anybody", "every replica takes what it has applied for current", 20,
     [](Options& options) { options.mistakes.txn.read_locally = true; }},
    // Apply and the life of the log
    {"apply-twice", "a start applies the last entry again", 20,
     [](Options& options) { options.mistakes.txn.apply_last_twice = true; }},
    {"objects-come-late", "a reference is visible before its pack is installed", 80,
     [](Options& options) { options.mistakes.txn.install_after_apply = true; }},
    {"objects-not-synced", "objects are called durable without a sync", 20,
     [](Options& options) { options.mistakes.txn.skip_object_sync = true; }},
    {"consumer-forgotten", "the log is cut whatever a consumer has not read", 60,
     [](Options& options) { options.mistakes.txn.forget_consumers = true; }},
});

}  // namespace

std::span<const PlantedBug> PlantedBugs() {
  return kBugs;
}

const PlantedBug* FindPlantedBug(std::string_view name) {
  const auto at = std::ranges::find(kBugs, name, &PlantedBug::name);
  return at == kBugs.end() ? nullptr : &*at;
}

SeedsDone Hunt(const PlantedBug& bug, std::uint64_t seeds, unsigned jobs) {
  return RunSeeds(1, seeds, jobs, [&bug](std::uint64_t seed) -> SeedReport {
    SimulationOptions options{.seed = seed};
    bug.plant(options);
    const SimulationResult result = Simulate(options);
    return {.failure = result.violation ? std::optional(result.violation->checker + ": " +
                                                        result.violation->what)
                                        : std::nullopt};
  });
}

}  // namespace quorate::sim
