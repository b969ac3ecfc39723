// ViewCache: the views (git/view.h) that `git upload-pack` children read, one per repository and
// ref version, shared by all requests.
//
// A view is rendered when first asked for and lives while it is the newest of its repository and
// among the most recently used, and in any case while somebody holds it. Its directory is removed
// afterwards, on the pool. What a crash leaves is wiped by the next Open().
//
// Safe from any thread. Get() blocks while it, or somebody else, renders.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "env/file_system.h"
#include "env/metrics.h"
#include "env/strand.h"

namespace quorate::http {

struct ViewKey {
  PartitionId partition;
  RepositoryId repository;
  Lsn ref_version;

  friend auto operator<=>(const ViewKey&, const ViewKey&) = default;
};

class ViewCache {
 public:
  // A rendered view; its directory exists while this does.
  class View;

  // Empties `directory`, which is this cache's alone. `files`, `pool` and the counters outlive it
  // and its views.
  static Result<std::unique_ptr<ViewCache>> Open(std::string directory, std::size_t views_max,
                                                 env::FileSystem& files, env::StrandPool& pool,
                                                 env::Counter& hits, env::Counter& misses);

  ViewCache(const ViewCache&) = delete;
  ViewCache& operator=(const ViewCache&) = delete;

  // `render` makes the view at the path it is given; it is called without a lock.
  Result<std::shared_ptr<const View>> Get(
      const ViewKey& key, const std::function<Status(const std::string& path)>& render);

 private:
  using RepositoryKey = std::pair<PartitionId, RepositoryId>;
  struct Entry {
    RepositoryKey repository;
    Lsn ref_version;
    std::shared_ptr<const View> view;
  };
  using Entries = std::list<Entry>;  // Most recently used first.

  ViewCache(std::string directory, std::size_t views_max, env::FileSystem& files,
            env::StrandPool& pool, env::Counter& hits, env::Counter& misses)
      : directory_(std::move(directory)),
        views_max_(views_max),
        files_(files),
        pool_(pool),
        hits_(hits),
        misses_(misses) {}

  void Insert(const ViewKey& key, const std::shared_ptr<const View>& view);

  const std::string directory_;
  const std::size_t views_max_;
  env::FileSystem& files_;
  env::StrandPool& pool_;
  env::Counter& hits_;
  env::Counter& misses_;

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable rendered_;
  Entries entries_;
  std::map<RepositoryKey, Entries::iterator> by_repository_;
  std::set<ViewKey> rendering_;
  std::uint64_t next_name_ = 1;
};

class ViewCache::View {
 public:
  View(std::string path, env::FileSystem& files, env::StrandPool& pool)
      : path_(std::move(path)), files_(files), pool_(pool) {}
  ~View();

  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  env::FileSystem& files_;
  env::StrandPool& pool_;
};

}  // namespace quorate::http
