// quorate-load: drives a smart HTTP server and prints one JSON line. It sends prebuilt packs on
// kept connections and starts no process per operation, so that what it costs is small and the same
// for every server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "load/workload.h"

namespace {

using quorate::Result;
using quorate::bench::LoadOptions;
using quorate::bench::Report;
using Workload = std::function<Result<Report>(const LoadOptions&)>;

struct Arguments {
  LoadOptions load;
  std::string url = "http://127.0.0.1:7080";
  Workload workload;
};

void AddWorkload(CLI::App& app, Arguments& arguments, const char* name, const char* help,
                 Workload workload) {
  CLI::App* command = app.add_subcommand(name, help);
  LoadOptions& load = arguments.load;
  command->add_option("--url", arguments.url, "The server.")->capture_default_str();
  command->add_option("--prefix", load.prefix, "Repositories are PREFIX0.git, PREFIX1.git ...")
      ->capture_default_str();
  command->add_option("--repositories", load.repositories)->capture_default_str();
  command->add_option("--connections", load.connections)->capture_default_str();
  command->add_option("--seconds", load.seconds)->capture_default_str();
  command->add_option("--operations", load.operations_max, "Per connection; 0: until --seconds.");
  command->add_option("--refs", load.refs, "References per repository.")->capture_default_str();
  command->add_option("--prebuilt", load.prebuilt, "Pushes made ready per connection.")
      ->capture_default_str();
  command->add_option("--file-bytes", load.file_bytes, "Size of a push's new file.")
      ->capture_default_str();
  command->add_option("--tag", load.tag, "Part of branch names; a new one for every run.");
  command->add_option("--want", load.want, "Object id.");
  command->add_option("--have", load.have, "Object id.");
  command->callback(
      [&arguments, workload = std::move(workload)] { arguments.workload = workload; });
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Load driver for Git servers over smart HTTP.", "quorate-load"};
  app.require_subcommand(1);
  AddWorkload(app, arguments, "push", "Small pushes, each connection to its own branch.",
              quorate::bench::RunPush);
  AddWorkload(app, arguments, "ls-refs", "Protocol v2 ls-refs.", quorate::bench::RunLsRefs);
  AddWorkload(app, arguments, "fetch", "Protocol v2 fetch of --want, perhaps having --have.",
              quorate::bench::RunFetch);
  AddWorkload(app, arguments, "create", "Repositories through the API.", quorate::bench::RunCreate);
  AddWorkload(app, arguments, "refs", "Not timed: gives each repository --refs branches.",
              quorate::bench::PrepareRefs);
  CLI11_PARSE(app, argc, argv);

  const Result<quorate::bench::Endpoint> endpoint = quorate::bench::ParseEndpoint(arguments.url);
  if (!endpoint) {
    fmt::print(stderr, "quorate-load: {}\n", endpoint.error().message());
    return 2;
  }
  arguments.load.endpoint = *endpoint;
  Result<Report> report = arguments.workload(arguments.load);
  if (!report) {
    fmt::print(stderr, "quorate-load: {}\n", report.error().message());
    return 1;
  }
  fmt::print("{}\n", report->ToJson());
  return report->failed == 0 && report->refused == 0 ? 0 : 1;
}
