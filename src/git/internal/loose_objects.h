// Loose objects: one zlib file each, objects/<2 hex>/<the rest>, as Git has them.
//
// Safe from any thread. A file appears whole or not at all, but is not durable by itself: after a
// power cut it may be empty or cut off. Then whoever wrote it writes it again.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/file_system.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git::internal {

struct ObjectHead {
  ObjectType type;
  std::uint64_t size = 0;
};

class LooseObjects {
 public:
  // `scratch` is a directory of the same file system, where files are made before they are named.
  LooseObjects(std::string objects, std::string scratch, env::FileSystem& files)
      : objects_(std::move(objects)), scratch_(std::move(scratch)), files_(files) {}

  // Nothing: no such file. kCorruption: it is there and damaged.
  Result<std::optional<ObjectHead>> FindHead(const ObjectId& id);
  // Also kResourceExhausted: its content is larger than `size_max`.
  Result<std::optional<Object>> Find(const ObjectId& id, std::uint64_t size_max);

  enum class Existing {
    kTrust,    // A file that is there and not empty stays.
    kReplace,  // It may have been cut off by a power cut.
  };
  Status Write(const ObjectId& id, ObjectType type, std::string_view content, Existing existing);

 private:
  std::string Directory(const std::string& hex) const;
  std::string Path(const std::string& hex) const;

  const std::string objects_;
  const std::string scratch_;
  env::FileSystem& files_;
  std::atomic<std::uint64_t> written_{0};  // Names scratch files.
};

}  // namespace quorate::git::internal
