#include "git/internal/store_context.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::git::internal {
namespace {

std::unique_ptr<PackedObjects> NewPacks(ObjectFormat format, const GitPlace& place,
                                        env::ChildLauncher& children) {
  return format == ObjectFormat::kSha1 ? NewLibgit2Packs(place.objects)
                                       : NewCatFilePacks(place, children);
}

}  // namespace

void StagedPacks::Hold(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  ++holders_[digest];
}

void StagedPacks::RemoveHolder(const Sha256Digest& digest) {
  const auto found = holders_.find(digest);
  QUORATE_CHECK(found != holders_.end());
  if (--found->second == 0) {
    holders_.erase(found);
  }
}

void StagedPacks::Leave(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  RemoveHolder(digest);
  named_.insert(digest);
}

Status StagedPacks::Discard(const Sha256Digest& digest, const std::function<Status()>& remove) {
  const std::lock_guard lock(mutex_);
  RemoveHolder(digest);
  return holders_.contains(digest) || named_.contains(digest) ? Ok() : remove();
}

void StagedPacks::Release(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  RemoveHolder(digest);
}

void StagedPacks::Keep(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  named_.insert(digest);
}

void StagedPacks::Forget(const Sha256Digest& digest) {
  const std::lock_guard lock(mutex_);
  named_.erase(digest);
}

bool StagedPacks::IsNeeded(const Sha256Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return holders_.contains(digest) || named_.contains(digest);
}

bool ApprovedFiles::Contains(const std::vector<SpecialFile>& files) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(files,
                             [this](const SpecialFile& file) { return files_.contains(file); });
}

void ApprovedFiles::Add(const std::vector<SpecialFile>& files) {
  constexpr std::size_t kFilesMax = 1024;
  const std::lock_guard lock(mutex_);
  if (files_.size() + files.size() > kFilesMax) {
    files_.clear();
  }
  if (files.size() <= kFilesMax) {
    files_.insert(files.begin(), files.end());
  }
}

StoreContext::StoreContext(std::string root_directory, ObjectFormat object_format,
                           env::FileSystem& file_system, env::ChildLauncher& launcher,
                           env::Random& randomness, ObjectStoreOptions limits)
    : root(std::move(root_directory)),
      format(object_format),
      files(file_system),
      children(launcher),
      random(randomness),
      options(limits),
      loose(objects(), incoming(), file_system),
      reader(loose, NewPacks(object_format, GitPlace{git_dir(), objects(), {}, 0}, launcher)) {
}

std::string StoreContext::StagedPath(const Sha256Digest& digest, std::string_view suffix) const {
  return staged() + "/" + digest.ToHex() + std::string(suffix);
}

std::string StoreContext::InstalledPath(const Sha256Digest& digest, std::string_view suffix) const {
  return packs() + "/pack-" + digest.ToHex() + std::string(suffix);
}

std::unique_ptr<PackedObjects> NewPackedObjects(const StoreContext& context,
                                                const GitPlace& place) {
  return NewPacks(context.format, place, context.children);
}

}  // namespace quorate::git::internal
