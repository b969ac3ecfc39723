// Trees: their entries, the order of these, and names that are not to be checked out.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "git/object_check.h"

namespace quorate::git::internal {

struct TreeEntry {
  std::uint32_t mode = 0;
  std::string_view name;
  ObjectId id;
};

// Takes the first entry off `rest`. kInvalidArgument: "badTree: <what>".
Result<TreeEntry> TakeTreeEntry(ObjectFormat format, std::string_view& rest);

// Nothing for a submodule.
std::optional<Reference> ReferenceOf(const TreeEntry& entry);

// Fills in all of `checked`. kInvalidArgument: "<msgid>: <what>".
Status CheckTree(ObjectFormat format, std::string_view content, CheckedObject& checked);

}  // namespace quorate::git::internal
