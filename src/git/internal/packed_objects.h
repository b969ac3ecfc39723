// Objects in packs of one object directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/child.h"
#include "git/internal/git_child.h"
#include "git/internal/loose_objects.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git::internal {

// Safe from any thread.
class PackedObjects {
 public:
  virtual ~PackedObjects() = default;

  // Nothing: no pack has it, not even one that came since the last look.
  virtual Result<std::optional<ObjectHead>> FindHead(const ObjectId& id) = 0;
  // Also kResourceExhausted: its content is larger than `size_max`. Does not check the hash.
  virtual Result<std::optional<Object>> Find(const ObjectId& id, std::uint64_t size_max) = 0;
};

// For SHA-1: libgit2, in process. Opens nothing before the first look-up.
std::unique_ptr<PackedObjects> NewLibgit2Packs(std::string objects);

// For SHA-256, which libgit2 cannot read: a `git cat-file` for each look-up. Finds loose objects
// too.
std::unique_ptr<PackedObjects> NewCatFilePacks(GitPlace place, env::ChildLauncher& children);

}  // namespace quorate::git::internal
