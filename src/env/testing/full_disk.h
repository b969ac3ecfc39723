// FullDisk: a file system that has no room for another file, for as long as a test wants.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "env/file_system.h"

namespace quorate::env {

// Any thread. What reads, removes, renames or makes a directory goes through, full or not.
class FullDisk final : public FileSystem {
 public:
  // `below` outlives it.
  explicit FullDisk(FileSystem& below) : below_(below) {}

  // For files with `part` in their paths; others are small, and still fit.
  void Fill(std::string part) {
    const std::lock_guard lock(mutex_);
    part_ = std::move(part);
    full_ = true;
  }
  void Free() {
    const std::lock_guard lock(mutex_);
    full_ = false;
  }

  Status CreateDirectories(const std::string& path) override {
    return below_.CreateDirectories(path);
  }
  Status RemoveAll(const std::string& path) override { return below_.RemoveAll(path); }
  Status WriteFile(const std::string& path, std::string_view contents) override {
    QUORATE_TRY(Check(path));
    return below_.WriteFile(path, contents);
  }
  Result<std::unique_ptr<WritableFile>> NewFile(const std::string& path) override {
    QUORATE_TRY(Check(path));
    return below_.NewFile(path);
  }
  Result<std::string> ReadFile(const std::string& path) override { return below_.ReadFile(path); }
  Result<std::string> ReadRange(const std::string& path, std::uint64_t offset,
                                std::size_t size_max) override {
    return below_.ReadRange(path, offset, size_max);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return below_.Rename(from, to);
  }
  bool Exists(const std::string& path) override { return below_.Exists(path); }
  Result<std::uint64_t> FileSize(const std::string& path) override { return below_.FileSize(path); }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return below_.List(path);
  }
  Status Sync(const std::string& path) override { return below_.Sync(path); }
  Status SyncFileSystem(const std::string& path) override { return below_.SyncFileSystem(path); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return below_.Lock(path);
  }
  Result<std::uint64_t> SpaceAvailable(const std::string& path) override {
    return below_.SpaceAvailable(path);
  }

 private:
  Status Check(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    if (full_ && path.find(part_) != std::string::npos) {
      return Error(Code::kResourceExhausted, "write " + path + ": no space left");
    }
    return Ok();
  }

  FileSystem& below_;
  mutable std::mutex mutex_;  // Guards what follows.
  bool full_ = false;
  std::string part_;
};

}  // namespace quorate::env
