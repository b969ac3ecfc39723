// What the parts of one ObjectStore share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "env/child.h"
#include "env/file_system.h"
#include "env/random.h"
#include "git/internal/git_child.h"
#include "git/internal/loose_objects.h"
#include "git/internal/object_reader.h"
#include "git/object_id.h"
#include "git/object_store.h"

namespace quorate::git::internal {

// Counts who relies on a staged pack, for two pushes may bring the same. Safe from any thread.
class StagedPacks {
 public:
  void Hold(const Sha256Digest& digest);
  // True if nobody holds it any more.
  bool Release(const Sha256Digest& digest);
  bool IsHeld(const Sha256Digest& digest) const;

 private:
  mutable std::mutex mutex_;
  std::map<Sha256Digest, int> holders_;
};

// Blobs that git found fit to be a .gitmodules or .gitattributes, so that it need not look at them
// for every push. Forgets all when full. Safe from any thread.
class ApprovedFiles {
 public:
  bool Contains(const std::vector<ObjectId>& ids) const;
  void Add(const std::vector<ObjectId>& ids);

 private:
  mutable std::mutex mutex_;
  std::set<ObjectId> ids_;
};

struct StoreContext {
  StoreContext(std::string root_directory, ObjectFormat object_format, env::FileSystem& file_system,
               env::ChildLauncher& launcher, env::Random& randomness, ObjectStoreOptions limits);

  std::string objects() const { return root + "/objects"; }
  std::string packs() const { return root + "/objects/pack"; }
  std::string incoming() const { return root + "/incoming"; }
  std::string staged() const { return root + "/staged"; }
  std::string git_dir() const { return root + "/git"; }
  std::string StagedPath(const Sha256Digest& digest, std::string_view suffix) const;
  std::string InstalledPath(const Sha256Digest& digest, std::string_view suffix) const;

  const std::string root;
  const ObjectFormat format;
  env::FileSystem& files;
  env::ChildLauncher& children;
  env::Random& random;
  const ObjectStoreOptions options;
  LooseObjects loose;
  ObjectReader reader;
  StagedPacks staged_packs;
  ApprovedFiles approved;
};

std::unique_ptr<PackedObjects> NewPackedObjects(const StoreContext& context, const GitPlace& place);

}  // namespace quorate::git::internal
