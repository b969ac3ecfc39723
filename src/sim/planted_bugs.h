// Planted bugs: mistakes that production code can be told to make (UnsafeOptions of raft and txn),
// each with the number of seeds within which the simulator must notice it.
//
// A simulator that stays green with one of them proves nothing by being green without. README.md
// has the table of what noticed which.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/seed_runner.h"
#include "sim/simulation.h"

namespace quorate::sim {

struct PlantedBug {
  std::string_view name;
  std::string_view what;
  std::uint64_t seeds;                // From 1 on: one of so many must notice it.
  void (*plant)(SimulationOptions&);  // Some choose what to do and what goes wrong, too.
};

std::span<const PlantedBug> PlantedBugs();
// Null if there is no such one.
const PlantedBug* FindPlantedBug(std::string_view name);

// Runs seeds with the bug, in processes of their own, until one notices it; at most `seeds`.
// REQUIRES: this process has one thread.
SeedsDone Hunt(const PlantedBug& bug, std::uint64_t seeds, unsigned jobs);

}  // namespace quorate::sim
