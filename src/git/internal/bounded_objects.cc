#include "git/internal/bounded_objects.h"

#include <string>
#include <utility>

namespace quorate::git::internal {

Result<const Object*> BoundedObjects::Find(const ObjectId& id) {
  auto at = read_.find(id);
  if (at == read_.end()) {
    if (objects_left_ == 0) {
      return Error(Code::kResourceExhausted, "more objects than are read in process");
    }
    objects_left_ -= 1;
    std::optional<Object> object = QUORATE_TRY(find_(id, bytes_left_));
    bytes_left_ -= object ? object->content.size() : 0;
    at = read_.emplace(id, std::move(object)).first;
  }
  return at->second ? &*at->second : nullptr;
}

Result<const Object*> BoundedObjects::Read(const ObjectId& id, ObjectType type) {
  const Object* const object = QUORATE_TRY(Find(id));
  if (object == nullptr || object->type != type) {
    return Error(Code::kNotFound, std::string(TypeName(type)) + " " + id.ToHex() + " is missing");
  }
  return object;
}

}  // namespace quorate::git::internal
