// The real files of this machine. Tests derive from it to let single calls fail.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "env/file_system.h"

namespace quorate::env {

class PosixFileSystem : public FileSystem {
 public:
  Status CreateDirectories(const std::string& path) override;
  Status RemoveAll(const std::string& path) override;
  Status WriteFile(const std::string& path, std::string_view contents) override;
  Result<std::string> ReadFile(const std::string& path) override;
  Result<std::string> ReadRange(const std::string& path, std::uint64_t offset,
                                std::size_t size_max) override;
  Status Rename(const std::string& from, const std::string& to) override;
  bool Exists(const std::string& path) override;
  Result<std::uint64_t> FileSize(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Status Sync(const std::string& path) override;
  Status SyncFileSystem(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<std::uint64_t> SpaceAvailable(const std::string& path) override;

 private:
  std::atomic<std::uint64_t> temporaries_{0};  // Makes names of temporary files unique.
};

}  // namespace quorate::env
