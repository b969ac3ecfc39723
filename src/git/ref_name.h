// Names of references, by the rules of git-check-ref-format.
#pragma once

#include <string_view>

namespace quorate::git {

// A full name below refs/ that a client may create: at least "refs/x", no component that is empty,
// begins with "." or ends with ".lock", no "..", "@{", control bytes, space, ~^:?*[\ or DEL, no final "/" or
// ".", at most 1024 bytes... HEAD is not one.
bool IsValidRefName(std::string_view name);

// `parent` + "/" begins `child`: the two cannot exist together.
bool IsRefNameParent(std::string_view parent, std::string_view child);

}  // namespace quorate::git
