// Workloads: what the connections of a load run do, one operation after another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "load/connection.h"
#include "load/statistics.h"

namespace quorate::bench {

struct LoadOptions {
  Endpoint endpoint;
  std::string prefix = "bench";  // Repositories are PREFIX0.git, PREFIX1.git ...
  int repositories = 1;
  int connections = 1;
  double seconds = 5;
  std::int64_t operations_max = 0;  // Per connection; 0: as many as fit into `seconds`.
  int refs = 10;                    // Of `refs`, `ls-refs`: how many references a repository has.
  std::int64_t prebuilt = 20'000;   // Of `push`: packs made per connection before the clock starts.
  std::size_t file_bytes = 200;     // Of `push`: size of the new file.
  std::string tag;                  // Of `push`: part of ref names, so that runs do not collide.
  std::string want;                 // Of `fetch`, `clone`: hex ids.
  std::string have;
};

// Pushes one small commit after another to a reference of each connection's own.
Result<Report> RunPush(const LoadOptions& options);
// v2 ls-refs of all branches and tags.
Result<Report> RunLsRefs(const LoadOptions& options);
// v2 fetch of `want`, having `have` (or nothing: a clone).
Result<Report> RunFetch(const LoadOptions& options);
// Creates `operations_max` repositories through the API, one after another.
Result<Report> RunCreate(const LoadOptions& options);
// Not timed: gives each repository `refs` branches in one push.
Result<Report> PrepareRefs(const LoadOptions& options);

}  // namespace quorate::bench
