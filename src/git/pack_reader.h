// Unpacks a small pack in memory: every entry checked, every delta resolved, every object hashed.
//
// Pure but for the caller's look-up of delta bases. Memory is bounded by the limits, whatever the
// pack declares; nothing recurses. docs/formats/objects.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git {

struct PackHeader {
  std::uint32_t version = 2;
  std::uint32_t objects = 0;
};

// The first 12 bytes. kInvalidArgument: no pack, or of a version that nobody writes.
Result<PackHeader> ParsePackHeader(std::string_view bytes);

struct PackReadLimits {
  std::uint32_t objects_max = 100;
  std::size_t memory_bytes_max = 16 << 20;  // Of all objects, deltas and bases together.
};

struct UnpackedObject {
  ObjectId id;
  ObjectType type;
  std::string content;
};

// Finds an object outside the pack, of at most `size_max` bytes. kNotFound: there is none;
// kResourceExhausted: it is larger.
using FindBase = std::function<Result<Object>(const ObjectId& id, std::size_t size_max)>;

// The objects in the pack's order, no two the same.
//   kInvalidArgument     the pack is damaged or malformed, has bytes after its end, holds an object
//                        twice, or lacks the base of a delta;
//   kResourceExhausted   it exceeds the limits, and may be sound;
//   otherwise            what `find_base` said.
Result<std::vector<UnpackedObject>> ReadPack(ObjectFormat format, std::string_view pack,
                                             const PackReadLimits& limits,
                                             const FindBase& find_base);

}  // namespace quorate::git
