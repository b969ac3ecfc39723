// FileSystemWrapper: hands every call on to another file system. A test overrides what it wants to
// be different.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "env/file_system.h"

namespace quorate::env {

class FileSystemWrapper : public FileSystem {
 public:
  // `below` outlives it.
  explicit FileSystemWrapper(FileSystem& below) : below_(below) {}

  Status CreateDirectories(const std::string& path) override {
    return below_.CreateDirectories(path);
  }
  Status RemoveAll(const std::string& path) override { return below_.RemoveAll(path); }
  Status WriteFile(const std::string& path, std::string_view contents) override {
    return below_.WriteFile(path, contents);
  }
  Result<std::unique_ptr<WritableFile>> NewFile(const std::string& path) override {
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

 protected:
  FileSystem& below() { return below_; }

 private:
  FileSystem& below_;
};

}  // namespace quorate::env
