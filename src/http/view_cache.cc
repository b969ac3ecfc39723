#include "http/view_cache.h"

#include <utility>

namespace quorate::http {

ViewCache::View::~View() {
  pool_.Post([path = path_, &files = files_] {
    const Status removed = files.RemoveAll(path);
    static_cast<void>(removed);  // What is left is wiped at the next start.
  });
}

Result<std::unique_ptr<ViewCache>> ViewCache::Open(std::string directory, std::size_t views_max,
                                                   env::FileSystem& files, env::StrandPool& pool,
                                                   env::Counter& hits, env::Counter& misses) {
  QUORATE_TRY(files.RemoveAll(directory));
  QUORATE_TRY(files.CreateDirectories(directory));
  return std::unique_ptr<ViewCache>(
      new ViewCache(std::move(directory), views_max, files, pool, hits, misses));
}

Result<std::shared_ptr<const ViewCache::View>> ViewCache::Get(
    const ViewKey& key, const std::function<Status(const std::string& path)>& render) {
  std::string path;
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = by_repository_.find({key.partition, key.repository});
      if (found != by_repository_.end() && found->second->ref_version == key.ref_version) {
        entries_.splice(entries_.begin(), entries_, found->second);
        hits_.Add();
        return found->second->view;
      }
      if (rendering_.insert(key).second) {
        break;
      }
      rendered_.wait(lock);  // Then look again: it may have failed, or been replaced already.
    }
    // A name is never used twice: an old view may still have readers.
    path = directory_ + "/" + std::to_string(next_name_++) + ".git";
  }
  misses_.Add();
  const Status made = render(path);

  const std::lock_guard lock(mutex_);
  rendering_.erase(key);
  rendered_.notify_all();
  if (!made) {
    return Error(made.error());
  }
  auto view = std::make_shared<const View>(std::move(path), files_, pool_);
  Insert(key, view);
  return view;
}

void ViewCache::Insert(const ViewKey& key, const std::shared_ptr<const View>& view) {
  const RepositoryKey repository{key.partition, key.repository};
  const auto found = by_repository_.find(repository);
  if (found != by_repository_.end()) {
    if (found->second->ref_version > key.ref_version) {
      return;  // Only its caller needs it.
    }
    entries_.erase(found->second);
    by_repository_.erase(found);
  }
  entries_.push_front({repository, key.ref_version, view});
  by_repository_.emplace(repository, entries_.begin());
  while (entries_.size() > views_max_) {
    by_repository_.erase(entries_.back().repository);
    entries_.pop_back();
  }
}

}  // namespace quorate::http
