#include "git/internal/commit_walk.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/check.h"
#include "git/internal/header_check.h"
#include "git/object_check.h"

namespace quorate::git::internal {
namespace {

// The commits whose ancestry leads to `found`, through what `children` says.
std::set<ObjectId> Descendants(std::vector<ObjectId> found,
                               const std::map<ObjectId, std::vector<ObjectId>>& children) {
  std::set<ObjectId> descendants;
  while (!found.empty()) {
    const ObjectId id = found.back();
    found.pop_back();
    const auto at = children.find(id);
    if (descendants.insert(id).second && at != children.end()) {
      found.insert(found.end(), at->second.begin(), at->second.end());
    }
  }
  return descendants;
}

}  // namespace

Result<WalkedCommit*> CommitWalk::Load(const ObjectId& id) {
  const auto at = commits_.find(id);
  if (at != commits_.end()) {
    return &at->second;
  }
  WalkedCommit commit{.id = id, .object = QUORATE_TRY(objects_.Read(id, ObjectType::kCommit))};
  const CheckedObject checked =
      QUORATE_TRY(CheckObject(id, ObjectType::kCommit, commit.object->content));
  commit.tree = checked.references.at(0).id;
  for (std::size_t i = 1; i < checked.references.size(); ++i) {
    commit.parents.push_back(checked.references[i].id);
  }
  commit.date = CommitDate(commit.object->content);
  return &commits_.emplace(id, std::move(commit)).first->second;
}

Status CommitWalk::AddWant(const ObjectId& id) {
  ObjectId at = id;
  for (;;) {
    const Object* const object = QUORATE_TRY(objects_.Find(at));
    if (object == nullptr) {
      return Error(Code::kNotFound, "object " + at.ToHex() + " does not exist");
    }
    if (object->type == ObjectType::kCommit) {
      wants_.push_back(QUORATE_TRY(Load(at)));
      return Ok();
    }
    if (object->type != ObjectType::kTag) {
      return Error(Code::kInvalidArgument, "object " + at.ToHex() + " leads to no commit");
    }
    const CheckedObject checked = QUORATE_TRY(CheckObject(at, object->type, object->content));
    tags_.push_back(at);
    at = checked.references.at(0).id;
  }
}

Result<bool> CommitWalk::AddHave(const ObjectId& id) {
  const Object* const object = QUORATE_TRY(objects_.Find(id));
  if (object == nullptr) {
    return false;
  }
  if (object->type != ObjectType::kCommit) {
    return Error(Code::kInvalidArgument, "the client has " + id.ToHex() + ", which is no commit");
  }
  haves_.push_back(QUORATE_TRY(Load(id)));
  return true;
}

Result<bool> CommitWalk::EachWantHasCommonCommit() {
  std::set<ObjectId> common;
  std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
  for (const WalkedCommit* have : haves_) {
    common.insert(have->id);
    common.insert(have->parents.begin(), have->parents.end());
    oldest = std::min(oldest, have->date);
  }
  std::map<ObjectId, std::vector<ObjectId>> children;
  std::vector<ObjectId> found;
  std::set<ObjectId> visited;
  std::vector<WalkedCommit*> open = wants_;
  while (!open.empty()) {
    const WalkedCommit& commit = *open.back();
    open.pop_back();
    if (!visited.insert(commit.id).second) {
      continue;
    }
    if (common.contains(commit.id)) {
      found.push_back(commit.id);
      continue;
    }
    for (const ObjectId& id : commit.parents) {
      children[id].push_back(commit.id);
      if (common.contains(id)) {
        found.push_back(id);
        continue;
      }
      WalkedCommit* const parent = QUORATE_TRY(Load(id));
      if (parent->date >= oldest) {
        open.push_back(parent);
      }
    }
  }
  const std::set<ObjectId> leading = Descendants(std::move(found), children);
  return std::ranges::all_of(
      wants_, [&leading](const WalkedCommit* want) { return leading.contains(want->id); });
}

void CommitWalk::Enqueue(WalkedCommit& commit) {
  QUORATE_CHECK(!commit.queued);
  commit.seen = true;
  commit.queued = true;
  new_queued_ += commit.client_has ? 0 : 1;
  queue_.push({commit.date, enqueued_++, &commit});
}

// One that passed the queue before, as new, passes it again, so that its ancestors are marked too.
void CommitWalk::MarkClientHas(WalkedCommit& commit) {
  if (commit.client_has) {
    return;
  }
  commit.client_has = true;
  if (commit.queued) {
    new_queued_ -= 1;
  } else {
    Enqueue(commit);
  }
}

Result<std::vector<const WalkedCommit*>> CommitWalk::FindNew() {
  for (WalkedCommit* have : haves_) {
    MarkClientHas(*have);
  }
  for (WalkedCommit* want : wants_) {
    if (!want->seen) {
      Enqueue(*want);
    }
  }
  std::vector<const WalkedCommit*> found;
  std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
  // What is not older than a new commit may still turn out to be a descendant of it.
  while (!queue_.empty() && (new_queued_ > 0 || queue_.top().date >= oldest)) {
    WalkedCommit& commit = *queue_.top().commit;
    queue_.pop();
    commit.queued = false;
    if (!commit.client_has) {
      new_queued_ -= 1;
      found.push_back(&commit);
      oldest = std::min(oldest, commit.date);
    }
    for (const ObjectId& id : commit.parents) {
      WalkedCommit* const parent = QUORATE_TRY(Load(id));
      if (commit.client_has) {
        MarkClientHas(*parent);
      } else if (!parent->seen) {
        Enqueue(*parent);
      }
    }
  }
  std::erase_if(found, [](const WalkedCommit* commit) { return commit->client_has; });
  return found;
}

}  // namespace quorate::git::internal
