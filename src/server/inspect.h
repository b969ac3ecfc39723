// `quorate inspect`: what a stopped node has on disk, read-only.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace quorate::server {

struct InspectArguments {
  std::string data;
  std::string what = "summary";  // summary, log, state or packs.
  std::uint64_t partition = 0;   // 0: all.
  std::uint64_t limit = 1000;    // Lines per partition.
};

// Prints on standard output. kAlreadyExists: a running process holds the directory; kNotFound: no
// data directory; kCorruption: what is damaged, after everything before it was printed.
Status Inspect(const InspectArguments& arguments);

}  // namespace quorate::server
