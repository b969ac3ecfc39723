#include <git2.h>
#include <git2/sys/odb_backend.h>

#include <mutex>
#include <utility>

#include "git/internal/libgit2.h"
#include "git/internal/packed_objects.h"

namespace quorate::git::internal {
namespace {

std::optional<ObjectType> FromLibrary(git_object_t type) {
  switch (type) {
    case GIT_OBJECT_COMMIT:
      return ObjectType::kCommit;
    case GIT_OBJECT_TREE:
      return ObjectType::kTree;
    case GIT_OBJECT_BLOB:
      return ObjectType::kBlob;
    case GIT_OBJECT_TAG:
      return ObjectType::kTag;
    default:
      return std::nullopt;
  }
}

class Libgit2Packs final : public PackedObjects {
 public:
  explicit Libgit2Packs(std::string objects) : objects_(std::move(objects)) {}
  ~Libgit2Packs() override { git_odb_free(odb_); }
  Libgit2Packs(const Libgit2Packs&) = delete;
  Libgit2Packs& operator=(const Libgit2Packs&) = delete;

  Result<std::optional<ObjectHead>> FindHead(const ObjectId& id) override {
    const std::lock_guard lock(mutex_);
    return FindHeadLocked(id);
  }

  Result<std::optional<Object>> Find(const ObjectId& id, std::uint64_t size_max) override {
    const std::lock_guard lock(mutex_);
    const std::optional<ObjectHead> head = QUORATE_TRY(FindHeadLocked(id));
    if (!head) {
      return std::optional<Object>();
    }
    if (head->size > size_max) {
      return Error(Code::kResourceExhausted, "object " + id.ToHex() + " is too large");
    }
    const git_oid oid = Oid(id);
    git_odb_object* found = nullptr;
    if (git_odb_read(&found, odb_, &oid) != 0) {
      return Damaged(id);
    }
    Object object{head->type, std::string(static_cast<const char*>(git_odb_object_data(found)),
                                          git_odb_object_size(found))};
    git_odb_object_free(found);
    return std::optional<Object>(std::move(object));
  }

 private:
  static git_oid Oid(const ObjectId& id) {
    git_oid oid;
    git_oid_fromraw(&oid, reinterpret_cast<const unsigned char*>(id.raw().data()));
    return oid;
  }
  static Error Damaged(const ObjectId& id) {
    return {Code::kCorruption, "object " + id.ToHex() + ": " + Libgit2Message()};
  }

  // The library looks for new packs only when it misses an object in those it knows.
  Result<std::optional<ObjectHead>> FindHeadLocked(const ObjectId& id) {
    QUORATE_TRY(OpenLocked());
    const git_oid oid = Oid(id);
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    const int code = git_odb_read_header(&size, &type, odb_, &oid);
    if (code == GIT_ENOTFOUND) {
      return std::optional<ObjectHead>();
    }
    const std::optional<ObjectType> known = FromLibrary(type);
    if (code != 0 || !known) {
      return Damaged(id);
    }
    return std::optional<ObjectHead>(ObjectHead{*known, size});
  }

  Status OpenLocked() {
    if (odb_ != nullptr) {
      return Ok();
    }
    StartLibgit2();
    git_odb* odb = nullptr;
    git_odb_backend* packs = nullptr;
    if (git_odb_new(&odb) != 0 || git_odb_backend_pack(&packs, objects_.c_str()) != 0) {
      git_odb_free(odb);
      return Error(Code::kInternal, "open packs of " + objects_ + ": " + Libgit2Message());
    }
    if (git_odb_add_backend(odb, packs, 1) != 0) {
      packs->free(packs);
      git_odb_free(odb);
      return Error(Code::kInternal, "open packs of " + objects_ + ": " + Libgit2Message());
    }
    odb_ = odb;
    return Ok();
  }

  const std::string objects_;
  std::mutex mutex_;  // The library locks too, but does not say what against what.
  git_odb* odb_ = nullptr;
};

}  // namespace

std::unique_ptr<PackedObjects> NewLibgit2Packs(std::string objects) {
  return std::make_unique<Libgit2Packs>(std::move(objects));
}

}  // namespace quorate::git::internal
