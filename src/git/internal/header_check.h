// The objects that begin with lines of headers: commits and tags.
#pragma once

#include <string_view>

#include "base/result.h"
#include "git/object_check.h"

namespace quorate::git::internal {

// Fill in `checked.references`. kInvalidArgument: "<msgid>: <what>".
Status CheckCommit(ObjectFormat format, std::string_view content, CheckedObject& checked);
Status CheckTag(ObjectFormat format, std::string_view content, CheckedObject& checked);

}  // namespace quorate::git::internal
