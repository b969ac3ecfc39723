// tools/sim: many seeds of the simulation on all cores, or one of them with its trace.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "sim/planted_bugs.h"
#include "sim/seed_runner.h"
#include "sim/simulation.h"

namespace quorate::sim {
namespace {

constexpr std::string_view kUsage =
    "usage: sim --seeds N [--first M] [--jobs J] [--workload mixed|skew|refs|keys] [--bug NAME]\n"
    "       sim --seed S [--trace] [--workload ...] [--bug NAME]\n"
    "       sim --bugs          lists the bugs that can be planted\n";

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::optional<std::uint64_t> seed;
  bool trace = false;
  std::optional<Workload> workload;
  const PlantedBug* bug = nullptr;
  bool list_bugs = false;
};

template <class Number>
bool Parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseOption(std::string_view name, std::string_view value, Arguments& arguments) {
  if (name == "--seeds") {
    return Parse(value, arguments.seeds);
  }
  if (name == "--first") {
    return Parse(value, arguments.first);
  }
  if (name == "--jobs") {
    return Parse(value, arguments.jobs) && arguments.jobs > 0;
  }
  if (name == "--seed") {
    return Parse(value, arguments.seed.emplace());
  }
  if (name == "--workload") {
    arguments.workload = FindWorkload(value);
    return arguments.workload.has_value();
  }
  if (name == "--bug") {
    arguments.bug = FindPlantedBug(value);
    return arguments.bug != nullptr;
  }
  return false;
}

std::optional<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--trace") {
      arguments.trace = true;
    } else if (name == "--bugs") {
      arguments.list_bugs = true;
    } else if (i + 1 == argc || !ParseOption(name, argv[++i], arguments)) {
      return std::nullopt;
    }
  }
  return arguments;
}

SimulationOptions OptionsFor(std::uint64_t seed, const Arguments& arguments) {
  SimulationOptions options;
  options.seed = seed;
  if (arguments.bug != nullptr) {
    arguments.bug->plant(options);
  }
  options.workload = arguments.workload ? arguments.workload : options.workload;
  return options;
}

std::string Told(const Violation& violation) {
  return violation.checker + ": " + violation.what;
}

int RunOne(std::uint64_t seed, const Arguments& arguments) {
  SimulationOptions options = OptionsFor(seed, arguments);
  if (arguments.trace) {
    options.trace = [](std::string_view line) {
      fmt::print("{}\n", line);
      std::fflush(stdout);
    };
  }
  const SimulationResult result = Simulate(options);
  fmt::print(
      "seed {}: {} turns, {} crashes, {} leaderships; {} committed, {} acknowledged, {} unchanged, "
      "{} conflicts; {} reads, {} at once; {} changes read by consumers, {} cut off; trace "
      "{:016x}\n",
      seed, result.turns, result.crashes, result.totals.leaderships, result.totals.committed,
      result.totals.acknowledged, result.totals.unchanged, result.totals.conflicts,
      result.totals.reads, result.totals.current_reads, result.totals.changes_read,
      result.totals.cut_off, result.hash);
  if (result.violation) {
    fmt::print("FAILED ({})\n", Told(*result.violation));
    return 1;
  }
  return 0;
}

int RunMany(const Arguments& arguments) {
  std::uint64_t shown = 0;
  const SeedsDone done = RunSeeds(
      arguments.first, arguments.seeds, arguments.jobs,
      [&](std::uint64_t seed) -> SeedReport {
        const SimulationResult result = Simulate(OptionsFor(seed, arguments));
        return {.failure = result.violation ? std::optional(Told(*result.violation)) : std::nullopt,
                .note = result.totals.acknowledged};
      },
      [&](const SeedsDone& so_far) {
        if (so_far.count >= shown + 50) {
          shown = so_far.count;
          fmt::print(stderr, "\r{} of {} seeds", so_far.count, arguments.seeds);
        }
      });
  fmt::print(stderr, "\r");
  if (done.failed) {
    fmt::print("seed {} FAILED ({})\nreplay: tools/sim --seed {} --trace{}{}\n", done.failed->seed,
               done.failed->what, done.failed->seed, arguments.bug != nullptr ? " --bug " : "",
               arguments.bug != nullptr ? arguments.bug->name : "");
    return 1;
  }
  fmt::print("{} seeds, {} transactions acknowledged: all well\n", done.count, done.note);
  return 0;
}

int ListBugs() {
  for (const PlantedBug& bug : PlantedBugs()) {
    fmt::print("{:28} within {:3} seeds: {}\n", bug.name, bug.seeds, bug.what);
  }
  return 0;
}

}  // namespace
}  // namespace quorate::sim

int main(int argc, char** argv) {
  const auto arguments = quorate::sim::ParseArguments(argc, argv);
  if (!arguments) {
    fmt::print(stderr, "{}", quorate::sim::kUsage);
    return 2;
  }
  if (arguments->list_bugs) {
    return quorate::sim::ListBugs();
  }
  return arguments->seed ? quorate::sim::RunOne(*arguments->seed, *arguments)
                         : quorate::sim::RunMany(*arguments);
}
