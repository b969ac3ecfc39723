// Whether an object is well-formed, and what it refers to.
//
// Pure. What passes here passes `git fsck --strict`, except for what that says about the content of
// files with a meaning to Git (.gitmodules, .gitattributes): they are named, for someone to look
// at.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git {

struct Reference {
  ObjectId id;
  ObjectType type;  // What it must be.
};

struct CheckedObject {
  // Direct references in the object's order, repeated as often as they occur. Submodules are none.
  std::vector<Reference> references;
  // Blobs that a tree names .gitmodules, .gitattributes, or something that a file system may take
  // for these; and whether such a name is a symbolic link.
  std::vector<ObjectId> special_files;
  bool special_link = false;
};

// kInvalidArgument: malformed. The message is Git's own: "object <hex>: <msgid>: <what>".
Result<CheckedObject> CheckObject(const ObjectId& id, ObjectType type, std::string_view content);

}  // namespace quorate::git
