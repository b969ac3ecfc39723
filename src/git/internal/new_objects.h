// Which objects come with new commits: what their trees hold and their parents' trees do not.
#pragma once

#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/internal/bounded_objects.h"
#include "git/object_id.h"

namespace quorate::git::internal {

// For one thread. All fail as BoundedObjects::Read() does, and with kInvalidArgument on a malformed
// tree.
class NewObjects {
 public:
  struct Entry {
    ObjectId id;
    const Object* object;
  };

  // `objects` outlives it.
  NewObjects(ObjectFormat format, BoundedObjects& objects) : format_(format), objects_(objects) {}

  NewObjects(const NewObjects&) = delete;
  NewObjects& operator=(const NewObjects&) = delete;

  // The object itself, unless it is among them.
  void Add(const ObjectId& id, const Object& object);
  // The tree and what it holds, but for what `bases` hold: trees that the client has as a whole, or
  // will have by what was added before. Submodules' commits are not ours.
  Status AddTree(const ObjectId& id, const std::vector<ObjectId>& bases);

  const std::vector<Entry>& entries() const { return entries_; }
  bool Contains(const ObjectId& id) const { return added_.contains(id); }

 private:
  struct Step {
    ObjectId tree;
    std::vector<ObjectId> bases;  // Of the same path.
  };
  // Trees by name; several bases may have one.
  using TreesByName = std::multimap<std::string_view, ObjectId>;

  Status AddLevel(const Step& step, std::vector<Step>& next);
  Result<TreesByName> ReadBases(const std::vector<ObjectId>& bases);

  const ObjectFormat format_;
  BoundedObjects& objects_;
  std::vector<Entry> entries_;
  std::set<ObjectId> added_;
  std::set<ObjectId> known_;  // Held by bases.
};

}  // namespace quorate::git::internal
