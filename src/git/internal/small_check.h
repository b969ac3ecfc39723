// The check of a push whose objects are all in memory.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/internal/store_context.h"
#include "git/pack_reader.h"

namespace quorate::git::internal {

struct SmallPackObjects {
  std::vector<UnpackedObject> objects;
  std::vector<ObjectId> special_files;  // For git to look at; see CheckedObject.
  bool special_link = false;
};

// Limits within which a pack is unpacked in memory.
PackReadLimits SmallPackLimits(const ObjectStoreOptions& options);

// Delta bases from the store.
FindBase StoreBases(ObjectReader& reader);

// Unpacks and checks a pack by itself and against the store: objects well-formed, and every direct
// reference in the pack or in the store, and of the type that it must have. Fails as ReadPack()
// does.
Result<SmallPackObjects> CheckSmallPack(StoreContext& context, std::string_view pack);

}  // namespace quorate::git::internal
