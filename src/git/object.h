// Git's four kinds of objects, and how an object gets its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "git/object_id.h"

namespace quorate::git {

enum class ObjectType : std::uint8_t { kCommit = 1, kTree = 2, kBlob = 3, kTag = 4 };

// "commit", "tree", "blob", "tag".
std::string_view TypeName(ObjectType type);
std::optional<ObjectType> ParseTypeName(std::string_view name);

struct Object {
  ObjectType type;
  std::string content;
};

// "<type> <size>\0", which stands before the content wherever it is hashed or stored loose.
std::string ObjectHeader(ObjectType type, std::uint64_t size);

// SHA-1 detects the known collision attacks. kInvalidArgument: this is one.
Result<ObjectId> HashObject(ObjectFormat format, ObjectType type, std::string_view content);

}  // namespace quorate::git
