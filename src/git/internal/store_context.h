// What the parts of one ObjectStore share.
#pragma once

#include <functional>
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
#include "git/object_check.h"
#include "git/object_id.h"
#include "git/object_store.h"

namespace quorate::git::internal {

// Knows who relies on a staged pack: pushes under way (two may bring the same), and the log, as far
// as an entry may name the pack and its push is gone. Safe from any thread.
class StagedPacks {
 public:
  // A push is about to move its pack into place. Waits while Discard() removes an earlier one.
  void Hold(const Sha256Digest& digest);
  // That push ends, and an entry may name its pack: it stays, whoever discards it, until Forget().
  void Leave(const Sha256Digest& digest);
  // That push ends, and no entry can name its pack: `remove` is called if nobody else needs it.
  Status Discard(const Sha256Digest& digest, const std::function<Status()>& remove);
  // That push ends, and its pack is installed.
  void Release(const Sha256Digest& digest);

  // An entry in the log names it.
  void Keep(const Sha256Digest& digest);
  // It is installed.
  void Forget(const Sha256Digest& digest);
  bool IsNeeded(const Sha256Digest& digest) const;

 private:
  void RemoveHolder(const Sha256Digest& digest);  // With mutex_ held.

  mutable std::mutex mutex_;  // Held while `remove` runs, which takes no other.
  std::map<Sha256Digest, int> holders_;
  std::set<Sha256Digest> named_;
};

// Files that git found fit to be a .gitmodules or .gitattributes, so that it need not look at them
// for every push. The name counts: what is good attributes may be bad modules. Forgets all when
// full. Safe from any thread.
class ApprovedFiles {
 public:
  bool Contains(const std::vector<SpecialFile>& files) const;
  void Add(const std::vector<SpecialFile>& files);

 private:
  mutable std::mutex mutex_;
  std::set<SpecialFile> files_;
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
