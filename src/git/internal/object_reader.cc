#include "git/internal/object_reader.h"

#include <string>
#include <utility>

#include "git/object_check.h"

namespace quorate::git::internal {
namespace {

bool IsCorruption(const Error& error) {
  return error.code() == Code::kCorruption;
}

Status CheckName(const ObjectId& id, const Object& object) {
  const Result<ObjectId> actual = HashObject(id.format(), object.type, object.content);
  if (!actual || *actual != id) {
    return Error(Code::kCorruption, "object " + id.ToHex() + " does not hash to its name");
  }
  return Ok();
}

}  // namespace

Result<std::optional<ObjectHead>> ObjectReader::FindHead(const ObjectId& id) {
  Result<std::optional<ObjectHead>> loose = loose_.FindHead(id);
  const bool damaged = !loose && IsCorruption(loose.error());
  if ((loose && loose->has_value()) || (!loose && !damaged)) {
    return loose;
  }
  // A pack may have the object that is damaged as a file.
  Result<std::optional<ObjectHead>> packed = packed_->FindHead(id);
  return damaged && packed && !packed->has_value() ? loose : packed;
}

Result<std::optional<Object>> ObjectReader::Find(const ObjectId& id, std::uint64_t size_max) {
  Result<std::optional<Object>> loose = loose_.Find(id, size_max);
  if (loose && loose->has_value()) {
    const Status named = CheckName(id, **loose);
    if (named) {
      return loose;
    }
    loose = named.error();
  }
  const bool damaged = !loose && IsCorruption(loose.error());
  if (!loose && !damaged) {
    return loose;
  }
  Result<std::optional<Object>> packed = packed_->Find(id, size_max);
  if (packed && packed->has_value()) {
    QUORATE_TRY(CheckName(id, **packed));
    return packed;
  }
  return damaged && packed ? loose : packed;
}

Result<ResolvedTarget> ResolveTarget(const ObjectId& id, const ObjectSource& source) {
  const auto missing = [](const ObjectId& object) {
    return Error(Code::kNotFound, "object " + object.ToHex() + " does not exist");
  };
  std::optional<ObjectHead> head = QUORATE_TRY(source.find_head(id));
  if (!head) {
    return missing(id);
  }
  ResolvedTarget target{head->type, std::nullopt};
  ObjectType type = head->type;
  ObjectId at = id;
  // A tag's id depends on its target's: a chain of them ends.
  while (type == ObjectType::kTag) {
    const std::optional<Object> tag = QUORATE_TRY(source.find(at));
    if (!tag) {
      return missing(at);
    }
    const CheckedObject checked = QUORATE_TRY(CheckObject(at, tag->type, tag->content));
    at = checked.references.at(0).id;
    type = checked.references.at(0).type;
    target.peeled = at;
  }
  return target;
}

}  // namespace quorate::git::internal
