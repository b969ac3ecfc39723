#include "git/object.h"

#include <git2.h>

#include "base/digest.h"
#include "git/internal/libgit2.h"

namespace quorate::git {
namespace {

git_object_t LibraryType(ObjectType type) {
  switch (type) {
    case ObjectType::kCommit:
      return GIT_OBJECT_COMMIT;
    case ObjectType::kTree:
      return GIT_OBJECT_TREE;
    case ObjectType::kBlob:
      return GIT_OBJECT_BLOB;
    case ObjectType::kTag:
      return GIT_OBJECT_TAG;
  }
  return GIT_OBJECT_INVALID;
}

Result<ObjectId> HashSha1(ObjectType type, std::string_view content) {
  internal::StartLibgit2();
  git_oid oid;
  if (git_odb_hash(&oid, content.data(), content.size(), LibraryType(type)) != 0) {
    return Error(Code::kInvalidArgument, "cannot hash an object: " + internal::Libgit2Message());
  }
  return *ObjectId::FromRaw(ObjectFormat::kSha1,
                            {reinterpret_cast<const char*>(oid.id), sizeof(oid.id)});
}

}  // namespace

std::string_view TypeName(ObjectType type) {
  switch (type) {
    case ObjectType::kCommit:
      return "commit";
    case ObjectType::kTree:
      return "tree";
    case ObjectType::kBlob:
      return "blob";
    case ObjectType::kTag:
      return "tag";
  }
  return "unknown";
}

std::optional<ObjectType> ParseTypeName(std::string_view name) {
  for (const ObjectType type :
       {ObjectType::kCommit, ObjectType::kTree, ObjectType::kBlob, ObjectType::kTag}) {
    if (name == TypeName(type)) {
      return type;
    }
  }
  return std::nullopt;
}

std::string ObjectHeader(ObjectType type, std::uint64_t size) {
  std::string header(TypeName(type));
  header += ' ';
  header += std::to_string(size);
  header += '\0';
  return header;
}

Result<ObjectId> HashObject(ObjectFormat format, ObjectType type, std::string_view content) {
  if (format == ObjectFormat::kSha1) {
    return HashSha1(type, content);
  }
  Sha256Hasher hasher;
  hasher.Update(ObjectHeader(type, content.size()));
  hasher.Update(content);
  return *ObjectId::FromRaw(format, hasher.Finish().view());
}

}  // namespace quorate::git
