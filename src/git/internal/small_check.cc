#include "git/internal/small_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include "git/internal/tree_check.h"
#include "git/object_check.h"

namespace quorate::git::internal {
namespace {

constexpr std::size_t kMemoryBytesMax = 16 << 20;

class SmallCheck {
 public:
  SmallCheck(StoreContext& context, std::string_view pack) : context_(context), pack_(pack) {}

  Result<SmallPackObjects> Run();

 private:
  Result<Object> FindBase(const ObjectId& id, std::size_t size_max);
  void TrustEntries(const Object& tree);
  Status CheckReference(const Reference& reference);

  StoreContext& context_;
  const std::string_view pack_;
  std::map<ObjectId, ObjectType> known_;  // In the pack, or surely in the store.
};

Result<SmallPackObjects> SmallCheck::Run() {
  SmallPackObjects small;
  small.objects = QUORATE_TRY(ReadPack(
      context_.format, pack_, SmallPackLimits(context_.options),
      [this](const ObjectId& id, std::size_t size_max) { return FindBase(id, size_max); }));
  for (const UnpackedObject& object : small.objects) {
    known_.insert_or_assign(object.id, object.type);
  }
  for (const UnpackedObject& object : small.objects) {
    const CheckedObject checked = QUORATE_TRY(CheckObject(object.id, object.type, object.content));
    for (const Reference& reference : checked.references) {
      QUORATE_TRY(CheckReference(reference));
    }
    small.special_files.insert(small.special_files.end(), checked.special_files.begin(),
                               checked.special_files.end());
    small.special_link |= checked.special_link;
  }
  return small;
}

Result<Object> SmallCheck::FindBase(const ObjectId& id, std::size_t size_max) {
  Result<Object> base = StoreBases(context_.reader)(id, size_max);
  if (base && base->type == ObjectType::kTree) {
    TrustEntries(*base);
  }
  return base;
}

// By the closure rule, what a tree in the store refers to is there. A new version of a large
// directory comes as a delta upon the old, and so costs no look-up for each of its files.
void SmallCheck::TrustEntries(const Object& tree) {
  std::string_view rest = tree.content;
  while (!rest.empty()) {
    const Result<TreeEntry> entry = TakeTreeEntry(context_.format, rest);
    if (!entry) {
      return;
    }
    if (const std::optional<Reference> reference = ReferenceOf(*entry)) {
      known_.insert_or_assign(reference->id, reference->type);
    }
  }
}

Status SmallCheck::CheckReference(const Reference& reference) {
  auto known = known_.find(reference.id);
  if (known == known_.end()) {
    const std::optional<ObjectHead> head = QUORATE_TRY(context_.reader.FindHead(reference.id));
    if (!head) {
      return Error(Code::kInvalidArgument,
                   "did not receive expected object " + reference.id.ToHex());
    }
    known = known_.emplace(reference.id, head->type).first;
  }
  if (known->second != reference.type) {
    return Error(Code::kInvalidArgument, "object " + reference.id.ToHex() + ": expected type " +
                                             std::string(TypeName(reference.type)) + ", found " +
                                             std::string(TypeName(known->second)));
  }
  return Ok();
}

}  // namespace

PackReadLimits SmallPackLimits(const ObjectStoreOptions& options) {
  return {.objects_max = options.unpack_objects_max,
          .memory_bytes_max = static_cast<std::size_t>(
              std::min<std::uint64_t>(kMemoryBytesMax, options.object_bytes_max))};
}

FindBase StoreBases(ObjectReader& reader) {
  return [&reader](const ObjectId& id, std::size_t size_max) -> Result<Object> {
    std::optional<Object> base = QUORATE_TRY(reader.Find(id, size_max));
    if (!base) {
      return Error(Code::kNotFound, "object " + id.ToHex() + " does not exist");
    }
    return *std::move(base);
  };
}

Result<SmallPackObjects> CheckSmallPack(StoreContext& context, std::string_view pack) {
  return SmallCheck(context, pack).Run();
}

}  // namespace quorate::git::internal
