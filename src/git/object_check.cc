#include "git/object_check.h"

#include <string>
#include <utility>

#include "git/internal/header_check.h"
#include "git/internal/tree_check.h"

namespace quorate::git {

Result<CheckedObject> CheckObject(const ObjectId& id, ObjectType type, std::string_view content) {
  CheckedObject checked;
  Status status;
  switch (type) {
    case ObjectType::kCommit:
      status = internal::CheckCommit(id.format(), content, checked);
      break;
    case ObjectType::kTree:
      status = internal::CheckTree(id.format(), content, checked);
      break;
    case ObjectType::kTag:
      status = internal::CheckTag(id.format(), content, checked);
      break;
    case ObjectType::kBlob:
      break;
  }
  if (!status) {
    return std::move(status).error().Wrap("object " + id.ToHex());
  }
  return checked;
}

}  // namespace quorate::git
