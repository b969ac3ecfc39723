// The modes of the log in which the transaction suite runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "txn/testing/stage.h"

namespace quorate::txn {

struct Mode {
  // From its seed follows how tasks interleave, and in a group what leadership does.
  std::function<std::unique_ptr<Stage>(std::uint64_t seed, TransactionManagerOptions options)> make;
  // How many seeds a script plays with: one, where a script's commands leave nothing to chance.
  std::uint64_t script_seeds = 1;
};

// By name: "local", "raft1", "raft3".
std::map<std::string, Mode> Modes();

}  // namespace quorate::txn
