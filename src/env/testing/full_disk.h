// FullDisk: a file system that has no room for another file, for as long as a test wants.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "env/testing/file_system_wrapper.h"

namespace quorate::env {

// Any thread. What reads, removes, renames or makes a directory goes through, full or not.
class FullDisk final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;

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

  Status WriteFile(const std::string& path, std::string_view contents) override {
    QUORATE_TRY(Check(path));
    return below().WriteFile(path, contents);
  }
  Result<std::unique_ptr<WritableFile>> NewFile(const std::string& path) override {
    QUORATE_TRY(Check(path));
    return below().NewFile(path);
  }

 private:
  Status Check(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    if (full_ && path.find(part_) != std::string::npos) {
      return Error(Code::kResourceExhausted, "write " + path + ": no space left");
    }
    return Ok();
  }

  mutable std::mutex mutex_;  // Guards what follows.
  bool full_ = false;
  std::string part_;
};

}  // namespace quorate::env
