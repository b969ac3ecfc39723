#include "log_modes.h"

#include <optional>

#include "sim/group_stage.h"
#include "sim/replica_mode.h"
#include "txn/testing/log_mode.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

Mode Alone(std::unique_ptr<LogMode> (*log)()) {
  return {.make = [log](std::uint64_t seed, TransactionManagerOptions options) {
    // Scripts: tasks first come, first served.
    const auto chance = seed == 0 ? std::nullopt : std::optional(seed);
    return std::make_unique<World>(log(), chance, options);
  }};
}

}  // namespace

std::map<std::string, Mode> Modes() {
  Mode group{.make =
                 [](std::uint64_t seed, TransactionManagerOptions options) {
                   return std::make_unique<sim::GroupStage>(seed, options);
                 },
             .script_seeds = 5};
  return {
      {"local", Alone(NewLocalMode)}, {"raft1", Alone(sim::NewSoleVoterMode)}, {"raft3", group}};
}

}  // namespace quorate::txn
