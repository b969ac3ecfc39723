// How we run git: over given objects, cut off from the machine's and the user's configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "env/child.h"

namespace quorate::git::internal {

struct GitPlace {
  std::string git_dir;                  // A repository without objects of its own.
  std::string objects;                  // Where it reads and writes objects.
  std::vector<std::string> alternates;  // Where else it reads them.
  std::uint64_t allocation_max = 0;     // Bytes of one allocation; 0 is no limit.
};

// All three streams are pipes.
env::ChildOptions GitChild(const GitPlace& place, std::vector<std::string> arguments);

}  // namespace quorate::git::internal
