// What a repository may be called.
#pragma once

#include <string_view>

#include "base/result.h"

namespace quorate::cluster {

// 1 to 200 bytes; components [A-Za-z0-9._-]+ separated by single slashes, none beginning with "."
// or "-", none ending with ".git" or ".lock", in whatever case. The first component is not "api":
// those paths are the server's own. kInvalidArgument says which rule is broken.
Status CheckRepositoryName(std::string_view name);

}  // namespace quorate::cluster
