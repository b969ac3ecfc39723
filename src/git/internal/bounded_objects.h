// Reads objects, each once, until a limit is reached.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "base/result.h"
#include "git/object.h"
#include "git/object_id.h"
#include "git/small_fetch.h"

namespace quorate::git::internal {

// For one thread. What it hands out lives as long as it.
class BoundedObjects {
 public:
  // `find` outlives it.
  BoundedObjects(const FindObject& find, std::uint32_t objects_max, std::size_t bytes_max)
      : find_(find), objects_left_(objects_max), bytes_left_(bytes_max) {}

  BoundedObjects(const BoundedObjects&) = delete;
  BoundedObjects& operator=(const BoundedObjects&) = delete;

  // Null: there is none. kResourceExhausted: it is one more than may be read, or too large for what
  // is left of the bytes; else what `find` said.
  Result<const Object*> Find(const ObjectId& id);
  // As Find(); kNotFound: there is none, or it is of another type.
  Result<const Object*> Read(const ObjectId& id, ObjectType type);

  // From now on at most so many more are read.
  void LowerLimit(std::uint32_t objects_max) {
    objects_left_ = std::min(objects_left_, objects_max);
  }

 private:
  const FindObject& find_;
  std::uint32_t objects_left_;
  std::size_t bytes_left_;
  std::map<ObjectId, std::optional<Object>> read_;
};

}  // namespace quorate::git::internal
