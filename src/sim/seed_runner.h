// SeedRunner: runs many seeds in several processes, so that all cores work and a run that aborts is
// one failed seed, not the end of all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace quorate::sim {

struct FailedSeed {
  std::uint64_t seed = 0;
  std::string what;  // "model: ...", or "aborted: " and the last words of the process.
};

struct SeedsDone {
  std::uint64_t count = 0;           // Seeds that were run.
  std::uint64_t note = 0;            // Sum over what runs said of themselves.
  std::optional<FailedSeed> failed;  // The lowest of those that were run.
};

struct SeedReport {
  std::optional<std::string> failure;
  std::uint64_t note = 0;
};

// Calls `run` in `jobs` child processes for `count` seeds from `first` on, ascending, until one
// fails; the seeds below that one are run to the end. `progress` is told now and then, in this
// process. REQUIRES: this process has one thread.
SeedsDone RunSeeds(std::uint64_t first, std::uint64_t count, unsigned jobs,
                   const std::function<SeedReport(std::uint64_t seed)>& run,
                   const std::function<void(const SeedsDone&)>& progress = {});

}  // namespace quorate::sim
