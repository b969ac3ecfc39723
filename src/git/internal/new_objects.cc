#include "git/internal/new_objects.h"

#include <optional>
#include <utility>

#include "git/internal/tree_check.h"

namespace quorate::git::internal {

void NewObjects::Add(const ObjectId& id, const Object& object) {
  if (added_.insert(id).second) {
    entries_.push_back({id, &object});
  }
}

Status NewObjects::AddTree(const ObjectId& id, const std::vector<ObjectId>& bases) {
  known_.insert(bases.begin(), bases.end());
  std::vector<Step> open{{id, bases}};
  while (!open.empty()) {
    const Step step = std::move(open.back());
    open.pop_back();
    // A tree may be at several places, and is complete with the first.
    if (!known_.contains(step.tree) && !added_.contains(step.tree)) {
      QUORATE_TRY(AddLevel(step, open));
    }
  }
  return Ok();
}

Status NewObjects::AddLevel(const Step& step, std::vector<Step>& next) {
  const Object* const tree = QUORATE_TRY(objects_.Read(step.tree, ObjectType::kTree));
  const TreesByName base_trees = QUORATE_TRY(ReadBases(step.bases));
  Add(step.tree, *tree);
  std::string_view rest = tree->content;
  while (!rest.empty()) {
    const TreeEntry entry = QUORATE_TRY(TakeTreeEntry(format_, rest));
    const std::optional<Reference> reference = ReferenceOf(entry);
    if (!reference || known_.contains(entry.id) || added_.contains(entry.id)) {
      continue;
    }
    if (reference->type != ObjectType::kTree) {
      Add(entry.id, *QUORATE_TRY(objects_.Read(entry.id, reference->type)));
      continue;
    }
    Step below{entry.id, {}};
    const auto [first, last] = base_trees.equal_range(entry.name);
    for (auto at = first; at != last; ++at) {
      below.bases.push_back(at->second);
    }
    next.push_back(std::move(below));
  }
  return Ok();
}

Result<NewObjects::TreesByName> NewObjects::ReadBases(const std::vector<ObjectId>& bases) {
  TreesByName trees;
  for (const ObjectId& base : bases) {
    std::string_view rest = QUORATE_TRY(objects_.Read(base, ObjectType::kTree))->content;
    while (!rest.empty()) {
      const TreeEntry entry = QUORATE_TRY(TakeTreeEntry(format_, rest));
      const std::optional<Reference> reference = ReferenceOf(entry);
      if (reference && reference->type == ObjectType::kTree) {
        trees.emplace(entry.name, entry.id);
      }
      if (reference) {
        known_.insert(entry.id);
      }
    }
  }
  return trees;
}

}  // namespace quorate::git::internal
