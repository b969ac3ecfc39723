// The objects that an object directory has, loose or packed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "git/internal/loose_objects.h"
#include "git/internal/packed_objects.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git::internal {

// Safe from any thread.
class ObjectReader {
 public:
  ObjectReader(LooseObjects& loose, std::unique_ptr<PackedObjects> packed)
      : loose_(loose), packed_(std::move(packed)) {}

  // Nothing: there is none. kCorruption: it is there only in damaged form.
  Result<std::optional<ObjectHead>> FindHead(const ObjectId& id);
  // Checks that it hashes to its name. Also kResourceExhausted: larger than `size_max`.
  Result<std::optional<Object>> Find(const ObjectId& id, std::uint64_t size_max);

 private:
  LooseObjects& loose_;
  const std::unique_ptr<PackedObjects> packed_;
};

// Where a look-up may go on: each is asked until one has the object.
struct ObjectSource {
  std::function<Result<std::optional<ObjectHead>>(const ObjectId&)> find_head;
  std::function<Result<std::optional<Object>>(const ObjectId&)> find;
};

struct ResolvedTarget {
  ObjectType type;
  std::optional<ObjectId> peeled;
};
// What `id` is and, of an annotated tag, what it finally points at. kNotFound.
Result<ResolvedTarget> ResolveTarget(const ObjectId& id, const ObjectSource& source);

}  // namespace quorate::git::internal
