// A view: a read-only bare repository, rendered for `git upload-pack` children.
//
// It holds the references of one version (HEAD, packed-refs), a config, and no objects: those
// are the partition's, through alternates. Nobody writes to a view once it is there; it is dropped
// as a whole. Views are wiped at start, so nothing is synced.
//
// ViewWriter may be used from one thread at a time and blocks on the disk.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/file_system.h"
#include "git/object_id.h"
#include "git/protocol.h"
#include "git/repository_config.h"

namespace quorate::git {

struct ViewOptions {
  std::string path{};               // Absolute. Must not exist, nor be written by anyone else.
  std::string objects_directory{};  // Absolute; a Git object directory, as ObjectStore's.
  ObjectFormat format = ObjectFormat::kSha1;
  std::string
      head_symref_target;  // Below refs/; may be unborn. If empty, HEAD is detached at head_id.
  ObjectId head_id{};
  std::vector<ConfigEntry> config{};  // The repository's; what is not harmless is left out.
};

class ViewWriter {
 public:
  // Begins the view in a temporary directory beside options.path. kInvalidArgument: a HEAD or a
  // path that Git could not read; else as env::FileSystem.
  static Result<std::unique_ptr<ViewWriter>> Create(env::FileSystem& files, ViewOptions options);
  // Removes what was not finished.
  ~ViewWriter();

  ViewWriter(const ViewWriter&) = delete;
  ViewWriter& operator=(const ViewWriter&) = delete;

  // REQUIRES: names ascending in byte order; without HEAD. Memory stays bounded.
  Status Add(const AdvertisedRef& ref);

  // The view appears at options.path, whole. Once.
  Status Finish();

 private:
  ViewWriter(env::FileSystem& files, ViewOptions options);

  Status Begin();
  Status FlushPackedRefs();
  Status AddSymref(const AdvertisedRef& ref);

  env::FileSystem& files_;
  const ViewOptions options_;
  const std::string temporary_;
  std::unique_ptr<env::WritableFile> packed_refs_;
  std::string pending_;    // Lines not yet written to packed_refs_.
  std::string last_name_;  // For the order.
  bool finished_ = false;
};

struct UploadPackOptions {
  std::string view{};               // Path of a finished view.
  std::string objects_directory{};  // Its objects.
  ProtocolVersion version = ProtocolVersion::kV0;
  bool stateless = true;                         // HTTP; else one conversation on a connection.
  bool advertise = false;                        // Only the advertisement, then exit.
  std::string path_variable{};                   // PATH for git and its helpers.
  std::string pack_objects_hook{};               // uploadpack.packObjectsHook; none if empty.
  std::size_t pack_threads = 1;                  // Of one pack-objects.
  std::vector<std::string> extra_environment{};  // NAME=VALUE, for the hook.
};

struct CommandLine {
  std::vector<std::string> argv{};
  std::vector<std::string> environment{};  // The whole of it: nothing is inherited.
};

// How to run upload-pack on a view, with no configuration but the view's own and what is said here.
CommandLine UploadPackCommand(const UploadPackOptions& options);

}  // namespace quorate::git
