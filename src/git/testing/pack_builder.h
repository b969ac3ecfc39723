// Objects and packs in memory, sound or broken at will, for tests and benchmarks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "git/object.h"
#include "git/object_id.h"
#include "git/pack_writer.h"

namespace quorate::git {

struct TreeItem {
  std::string mode;  // As written: "100644", "40000".
  std::string name;
  ObjectId id;
};
// In the order given.
std::string TreeContent(const std::vector<TreeItem>& items);

struct CommitFields {
  ObjectId tree;
  std::vector<ObjectId> parents;
  std::string message = "a commit\n";
  std::string identity = "A U Thor <author@example.com> 1700000000 +0100";
};
std::string CommitContent(const CommitFields& fields);

struct TagFields {
  ObjectId target;
  ObjectType type = ObjectType::kCommit;
  std::string name = "v1";
  std::string identity = "A U Thor <author@example.com> 1700000000 +0100";
};
std::string TagContent(const TagFields& fields);

ObjectId IdOf(ObjectFormat format, ObjectType type, std::string_view content);

// A delta that shares the common head and tail of the two.
std::string MakeDelta(std::string_view base, std::string_view target);

class PackBuilder {
 public:
  explicit PackBuilder(ObjectFormat format = ObjectFormat::kSha1) : format_(format) {}

  // Each adds an object whole and returns its id.
  ObjectId Add(ObjectType type, std::string_view content);
  ObjectId Blob(std::string_view content) { return Add(ObjectType::kBlob, content); }
  ObjectId Tree(const std::vector<TreeItem>& items) {
    return Add(ObjectType::kTree, TreeContent(items));
  }
  ObjectId Commit(const CommitFields& fields) {
    return Add(ObjectType::kCommit, CommitContent(fields));
  }
  ObjectId Tag(const TagFields& fields) { return Add(ObjectType::kTag, TagContent(fields)); }

  // A delta against an object of this pack, by its place. REQUIRES: `base` was added.
  ObjectId OffsetDelta(const ObjectId& base, std::string_view content);
  // A delta against any object, by its name: of this pack before or after, or of nowhere (thin).
  ObjectId ReferenceDelta(ObjectType type, std::string_view base_content, std::string_view content);
  // As they are; counts as one object.
  void Raw(std::string_view entry);

  std::uint32_t objects() const { return count_; }
  // The offset at which the next entry begins.
  std::uint64_t offset() const { return 12 + entries_.size(); }
  std::string Finish() const { return SealPack(format_, count_, entries_); }

 private:
  struct Added {
    std::uint64_t offset;
    ObjectType type;
    std::string content;
  };
  void Remember(const ObjectId& id, ObjectType type, std::string_view content);

  const ObjectFormat format_;
  std::uint32_t count_ = 0;
  std::string entries_;
  std::map<ObjectId, Added> added_;
};

// One commit with one file, upon `parents`: the smallest push.
struct SmallPush {
  std::string pack;
  ObjectId commit;
  ObjectId tree;
  ObjectId blob;
};
SmallPush MakeSmallPush(ObjectFormat format, std::string_view text,
                        const std::vector<ObjectId>& parents = {});

}  // namespace quorate::git
