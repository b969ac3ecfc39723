// Files and directories, as an interface, so that the simulator can lose, tear and fill them.
//
// Every call may block and is safe from any thread. Nothing is durable before a Sync call says so.
// Errors: kNotFound where the path does not exist, kResourceExhausted for a full disk or quota,
// kInternal for the rest, with the path and the system's words.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace quorate::env {

// A new file, written from front to back; for what is too large to be held in memory as a whole.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  virtual Status Append(std::string_view bytes) = 0;
  // All bytes are with the operating system. Nothing is promised about the file without it. Once.
  virtual Status Close() = 0;
};

// An exclusive lock on a file, held as long as it lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Makes the directory and its parents; it may exist already.
  virtual Status CreateDirectories(const std::string& path) = 0;

  // Removes a file or a whole directory; it need not exist.
  virtual Status RemoveAll(const std::string& path) = 0;

  // Replaces the file by `contents` in one step (temporary file beside it, then rename), so that a
  // reader sees the old or the new whole. Not durable.
  virtual Status WriteFile(const std::string& path, std::string_view contents) = 0;

  // Makes the file, empty, or empties it; unlike WriteFile() not in one step. Not durable. The
  // default gathers all bytes for one WriteFile(), which will do for fakes. The file system must
  // outlive it.
  virtual Result<std::unique_ptr<WritableFile>> NewFile(const std::string& path);

  virtual Result<std::string> ReadFile(const std::string& path) = 0;

  // At most `size_max` bytes from `offset` on; fewer only at the end of the file.
  virtual Result<std::string> ReadRange(const std::string& path, std::uint64_t offset,
                                        std::size_t size_max) = 0;

  // Replaces `to` if it exists.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;

  virtual bool Exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> FileSize(const std::string& path) = 0;

  // Names (not paths) in the directory, without "." and "..", sorted.
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;

  // fsync of one file, or of one directory's names.
  virtual Status Sync(const std::string& path) = 0;

  // Everything written so far to the file system that holds `path`; one system call (syncfs).
  virtual Status SyncFileSystem(const std::string& path) = 0;

  // Makes the file if need be, locks it, and writes this process's id into it. The system lets go
  // of it when the process ends, however it ends. kAlreadyExists: somebody holds the lock.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;

  // Bytes that we may still write to the file system that holds `path`.
  virtual Result<std::uint64_t> SpaceAvailable(const std::string& path) = 0;
};

namespace internal {

class GatheringFile final : public WritableFile {
 public:
  GatheringFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  Status Append(std::string_view bytes) override {
    contents_.append(bytes);
    return Ok();
  }
  Status Close() override { return files_.WriteFile(path_, contents_); }

 private:
  FileSystem& files_;
  const std::string path_;
  std::string contents_;
};

}  // namespace internal

inline Result<std::unique_ptr<WritableFile>> FileSystem::NewFile(const std::string& path) {
  return std::unique_ptr<WritableFile>(std::make_unique<internal::GatheringFile>(*this, path));
}

}  // namespace quorate::env
