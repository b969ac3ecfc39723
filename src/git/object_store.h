// ObjectStore: the objects of one partition, in a directory that stock git can read.
//
// Layout below `root` (DATA/partitions/<id>): objects/ (loose objects and packs, as Git has them),
// incoming/ (quarantines of pushes under way; emptied by Open()), staged/ (side-stored packs,
// synced, that a log entry names or is about to name).
//
// The invariant is the closure rule: an object enters only if everything it refers to directly is
// in the same pack or in the store already. So the check of a push looks at the new pack's direct
// references only, and nothing incomplete can ever become reachable.
//
// Small packs (few objects, few bytes) are unpacked into loose objects, as Git does below
// receive.unpackLimit: a thousand pushes must not become a thousand packs, in which every look-up
// would have to search. Large ones are kept as packs.
//
// Safe from any thread; calls may block on the disk. docs/formats/objects.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/child.h"
#include "env/file_system.h"
#include "env/random.h"
#include "git/object.h"
#include "git/object_id.h"
#include "git/pack_installer.h"

namespace quorate::git {

struct ObjectStoreOptions {
  std::size_t inline_bytes_max = 128 << 10;     // Larger packs are stored beside the log.
  std::uint32_t unpack_objects_max = 100;       // More objects than this stay a pack.
  std::uint64_t pack_bytes_max = 16ULL << 30;   // A larger pack is refused.
  std::uint64_t object_bytes_max = 4ULL << 30;  // A larger declared object is refused.
};

// Receives one push's pack, piece by piece, and ends as a QuarantinedPack. One thread at a time;
// calls may block. Destroying it early kills its child and leaves nothing behind.
class PackReceiver {
 public:
  virtual ~PackReceiver() = default;

  // The next bytes of the pack. kInvalidArgument: they cannot be a pack, or exceed a limit; the
  // message is fit for `unpack <error>`.
  virtual Status Write(std::string_view bytes) = 0;

  // The pack is complete: checks checksum, deltas, objects and the closure rule.
  //   kInvalidArgument     the pack is broken, malformed, truncated or lacks objects; message as
  //   above; kResourceExhausted   a limit, or the disk is full.
  virtual Result<std::unique_ptr<QuarantinedPack>> Finish() = 0;

  // After Finish(): whether a new value of a ref exists in the pack or in the store, its type, and
  // what an annotated tag finally points at (nothing for other types). kNotFound: no such object.
  struct Target {
    ObjectType type;
    std::optional<ObjectId> peeled;
  };
  virtual Result<Target> Resolve(const ObjectId& id) = 0;

  // Progress lines for people ("Unpacking objects: 100% (3/3), done.\n", or with CR for one that
  // the next replaces), given to `sink` within Write() and Finish(). Before the first Write().
  virtual void OnProgress(std::function<void(std::string_view line)> sink) = 0;
};

class ObjectStore final : public PackInstaller {
 public:
  // Opens or makes the store. Empties incoming/.
  static Result<std::unique_ptr<ObjectStore>> Open(std::string root, ObjectFormat format,
                                                   env::FileSystem& files,
                                                   env::ChildLauncher& children,
                                                   env::Random& random, ObjectStoreOptions options);
  ~ObjectStore() override;

  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  ObjectFormat format() const;
  // A Git object directory, for `git` children (GIT_OBJECT_DIRECTORY, or alternates of a view).
  std::string objects_directory() const;

  // When `cancelled` is requested, by whatever thread, the receiver's call under way, if any, and
  // those that follow end soon with an error: its child is killed.
  std::unique_ptr<PackReceiver> NewReceiver(std::stop_token cancelled = {});

  Result<bool> Contains(const ObjectId& id);
  // Nothing: there is none. kCorruption: its bytes do not hash to its name; kResourceExhausted: it
  // is larger than `size_max`, and was not read.
  Result<std::optional<Object>> Find(const ObjectId& id, std::uint64_t size_max);
  // kNotFound, or kCorruption when its bytes do not hash to its name.
  Result<Object> Read(const ObjectId& id);
  // As PackReceiver::Resolve, for objects already in the store (a push without a pack).
  Result<PackReceiver::Target> Resolve(const ObjectId& id);

  Status Install(const PackRecord& record, std::unique_ptr<QuarantinedPack> local) override;

  // Before the first push: `named` are all the packs beside the log that it names. Removes other
  // staged ones, left by pushes that a crash cut off; those named stay until they are installed.
  Status DropStagedExcept(const std::vector<Sha256Digest>& named);

 private:
  class Impl;
  explicit ObjectStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::git
