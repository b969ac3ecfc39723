// Which commits a client wants and does not have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <queue>
#include <vector>

#include "base/result.h"
#include "git/internal/bounded_objects.h"
#include "git/object_id.h"

namespace quorate::git::internal {

struct WalkedCommit {
  ObjectId id;
  const Object* object = nullptr;
  ObjectId tree{};
  std::vector<ObjectId> parents{};
  std::int64_t date = 0;

  bool client_has = false;  // It, and so everything behind it.
  bool seen = false;        // It was queued.
  bool queued = false;      // It is.
};

// For one thread. All fail as BoundedObjects::Read() does, and with kInvalidArgument on an object
// that is malformed or of no use here.
class CommitWalk {
 public:
  // `objects` outlives it.
  CommitWalk(ObjectFormat format, BoundedObjects& objects) : format_(format), objects_(objects) {}

  CommitWalk(const CommitWalk&) = delete;
  CommitWalk& operator=(const CommitWalk&) = delete;

  // A commit, or a tag of one.
  Status AddWant(const ObjectId& id);
  // Whether it exists here; only then it says something.
  Result<bool> AddHave(const ObjectId& id);

  // Whether the client may stop telling what it has: behind each want is something that it has
  // said to have, or a parent of that. As Git, it does not look behind commits that are older than
  // all that was said.
  Result<bool> EachWantHasCommonCommit();

  // The commits to send, in the order in which they were found: by date, newest first, as far as
  // parents come after children. Where children are older than their parents there may be some that
  // the client has. Called once.
  Result<std::vector<const WalkedCommit*>> FindNew();

  const std::vector<WalkedCommit*>& haves() const { return haves_; }
  // The tags that were wanted, or lie between a want and its commit.
  const std::vector<ObjectId>& tags() const { return tags_; }
  // One that FindNew() came across, as each parent of a new one.
  const WalkedCommit& Found(const ObjectId& id) const { return commits_.at(id); }

 private:
  struct Queued {
    std::int64_t date;
    std::size_t order;  // Of equal dates, first in is first out.
    WalkedCommit* commit;

    bool operator<(const Queued& other) const {
      return date != other.date ? date < other.date : order > other.order;
    }
  };

  Result<WalkedCommit*> Load(const ObjectId& id);
  void Enqueue(WalkedCommit& commit);
  void MarkClientHas(WalkedCommit& commit);

  const ObjectFormat format_;
  BoundedObjects& objects_;
  std::map<ObjectId, WalkedCommit> commits_;
  std::vector<WalkedCommit*> wants_;
  std::vector<WalkedCommit*> haves_;
  std::vector<ObjectId> tags_;

  std::priority_queue<Queued> queue_;
  std::size_t enqueued_ = 0;
  std::size_t new_queued_ = 0;  // Of those queued, which the client is not known to have.
};

}  // namespace quorate::git::internal
