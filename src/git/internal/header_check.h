// The objects that begin with lines of headers: commits and tags.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "git/object_check.h"

namespace quorate::git::internal {

// Fill in `checked.references`. kInvalidArgument: "<msgid>: <what>".
Status CheckCommit(ObjectFormat format, std::string_view content, CheckedObject& checked);
Status CheckTag(ObjectFormat format, std::string_view content, CheckedObject& checked);

// When the commit was made, in seconds since 1970. REQUIRES: CheckCommit() found nothing wrong.
std::int64_t CommitDate(std::string_view content);

}  // namespace quorate::git::internal
