// Names of references, by the rules of git-check-ref-format.
#pragma once

#include <string_view>

namespace quorate::git {

// A full name below refs/ that a client may create: "refs/" and at least one more component, at
// most 1024 bytes. No component is empty, begins with "." or ends with ".lock"; nowhere "..", "@{",
// a control byte, DEL, space or one of ~ ^ : ? * [ \; no "." or "/" at the end. HEAD is not one.
bool IsValidRefName(std::string_view name);

// `parent` + "/" begins `child`: the two cannot exist together.
bool IsRefNameParent(std::string_view parent, std::string_view child);

}  // namespace quorate::git
