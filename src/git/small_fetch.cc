#include "git/small_fetch.h"

#include <string_view>
#include <utility>

#include "git/internal/bounded_objects.h"
#include "git/internal/commit_walk.h"
#include "git/internal/new_objects.h"
#include "git/object_check.h"
#include "git/pack_writer.h"
#include "git/pkt_line.h"

namespace quorate::git {
namespace {

using internal::BoundedObjects;
using internal::CommitWalk;
using internal::NewObjects;
using internal::WalkedCommit;

class SmallFetch {
 public:
  SmallFetch(ObjectFormat format, const FetchArguments& arguments, const FindObject& find,
             const ListTags& list_tags, const SmallFetchLimits& limits)
      : format_(format),
        arguments_(arguments),
        list_tags_(list_tags),
        limits_(limits),
        objects_(find, limits.objects_max, limits.bytes_max),
        commits_(format, objects_),
        new_objects_(format, objects_) {}

  Result<std::string> Answer();

 private:
  Result<bool> Negotiate();
  Status CollectCommits();
  Status CollectTags();
  Status CollectTagChain(ObjectId id);
  void AppendPack();

  const ObjectFormat format_;
  const FetchArguments& arguments_;
  const ListTags& list_tags_;
  const SmallFetchLimits limits_;
  BoundedObjects objects_;
  CommitWalk commits_;
  NewObjects new_objects_;
  std::string answer_;
};

Result<std::string> SmallFetch::Answer() {
  if (arguments_.wants.empty()) {
    return Error(Code::kInvalidArgument, "nothing is wanted");
  }
  for (const ObjectId& want : arguments_.wants) {
    QUORATE_TRY(commits_.AddWant(want));
  }
  const bool pack_follows = QUORATE_TRY(Negotiate());
  if (pack_follows) {
    QUORATE_TRY(CollectCommits());
    QUORATE_TRY(CollectTags());
    AppendPack();
  }
  AppendFlush(answer_);
  return std::move(answer_);
}

// Appends the acknowledgements, if there is any call for them. Whether the pack follows.
Result<bool> SmallFetch::Negotiate() {
  const bool acknowledges = !arguments_.done && !arguments_.haves.empty();
  std::string acknowledgements;
  for (const ObjectId& have : arguments_.haves) {
    if (QUORATE_TRY(commits_.AddHave(have))) {
      AppendPacket(acknowledgements, "ACK " + have.ToHex() + "\n");
    }
  }
  if (commits_.haves().empty()) {
    objects_.LowerLimit(limits_.clone_objects_max);
  }
  if (!acknowledges) {
    return true;
  }
  AppendPacket(answer_, "acknowledgments\n");
  if (commits_.haves().empty()) {
    AppendPacket(answer_, "NAK\n");
    return false;
  }
  answer_ += acknowledgements;
  const bool ready = QUORATE_TRY(commits_.EachWantHasCommonCommit());
  if (ready) {
    AppendPacket(answer_, "ready\n");
    AppendDelimiter(answer_);
  }
  return ready;
}

Status SmallFetch::CollectCommits() {
  const std::vector<const WalkedCommit*> found = QUORATE_TRY(commits_.FindNew());
  for (const WalkedCommit* commit : found) {
    new_objects_.Add(commit->id, *commit->object);
  }
  std::set<ObjectId> complete;
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    const WalkedCommit& commit = **at;
    // A parent whose own turn comes later, because it claims to be newer, cannot be relied on yet.
    std::vector<ObjectId> bases;
    for (const ObjectId& id : commit.parents) {
      const WalkedCommit& parent = commits_.Found(id);
      if (parent.client_has || complete.contains(id)) {
        bases.push_back(parent.tree);
      }
    }
    QUORATE_TRY(new_objects_.AddTree(commit.tree, bases));
    complete.insert(commit.id);
  }
  return Ok();
}

// Those that are wanted, and those of what is sent.
Status SmallFetch::CollectTags() {
  for (const ObjectId& id : commits_.tags()) {
    new_objects_.Add(id, *QUORATE_TRY(objects_.Read(id, ObjectType::kTag)));
  }
  if (!arguments_.include_tag || new_objects_.entries().empty()) {
    return Ok();
  }
  for (const AnnotatedTag& tag : QUORATE_TRY(list_tags_())) {
    if (new_objects_.Contains(tag.peeled)) {
      QUORATE_TRY(CollectTagChain(tag.id));
    }
  }
  return Ok();
}

Status SmallFetch::CollectTagChain(ObjectId id) {
  ObjectType type = ObjectType::kTag;
  while (type == ObjectType::kTag && !new_objects_.Contains(id)) {
    const Object* const tag = QUORATE_TRY(objects_.Read(id, ObjectType::kTag));
    const CheckedObject checked = QUORATE_TRY(CheckObject(id, tag->type, tag->content));
    new_objects_.Add(id, *tag);
    id = checked.references.at(0).id;
    type = checked.references.at(0).type;
  }
  return Ok();
}

void SmallFetch::AppendPack() {
  std::string entries;
  for (const NewObjects::Entry& entry : new_objects_.entries()) {
    entries += WholeEntry(entry.object->type, entry.object->content);
  }
  const std::size_t count = new_objects_.entries().size();
  AppendPacket(answer_, "packfile\n");
  if (!arguments_.no_progress) {
    AppendSideband(answer_, Band::kProgress,
                   "Enumerating objects: " + std::to_string(count) + ", done.\n");
  }
  AppendSideband(answer_, Band::kData,
                 SealPack(format_, static_cast<std::uint32_t>(count), entries));
}

}  // namespace

Result<std::string> AnswerSmallFetch(ObjectFormat format, const FetchArguments& arguments,
                                     const FindObject& find, const ListTags& list_tags,
                                     const SmallFetchLimits& limits) {
  SmallFetch fetch(format, arguments, find, list_tags, limits);
  return fetch.Answer();
}

}  // namespace quorate::git
