// PowerCutFiles: a real directory tree behind an env::FileSystem whose process ends at a chosen
// call, and whose power then goes.
//
// Every call that changes or syncs something is counted. From the fatal one on they all fail and
// change nothing. CutPower() then makes of the tree what may be found after it: changes of names
// that no sync covers are undone, the newest first, as many as one likes; and files are cut off
// whose bytes no sync covers, also those that others wrote (children). A rename is one change,
// which a sync of the directory that it leads to makes durable.
//
// For one thread, and for files that nobody keeps open. What was removed or replaced is kept in a
// folder of its own, so that it can come back. Nothing is synced in truth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "env/testing/file_system_wrapper.h"
#include "env/testing/temporary_folder.h"

namespace quorate::env {

class PowerCutFiles final : public FileSystemWrapper {
 public:
  // Over `files`, which outlives it; `root` is the tree that is lost.
  PowerCutFiles(FileSystem& files, std::string root);

  // The process ends at the `fatal`-th call, counted from now on; 0: it does not.
  void EndAt(std::uint64_t fatal);
  bool ended() const { return fatal_ != 0 && calls_ >= fatal_; }
  std::uint64_t calls() const { return calls_; }

  // How many changes of names no sync covers.
  std::size_t unsynced() const { return changes_.size(); }
  enum class Bytes { kKept, kTorn };
  // The first `names_kept` of these changes stay. Then everything that is left is durable, and
  // calls are let through again.
  void CutPower(std::size_t names_kept, Bytes unsynced_bytes);

  Status CreateDirectories(const std::string& path) override;
  Status RemoveAll(const std::string& path) override;
  Status WriteFile(const std::string& path, std::string_view contents) override;
  // Gathers the bytes: one call that counts.
  Result<std::unique_ptr<WritableFile>> NewFile(const std::string& path) override {
    return FileSystem::NewFile(path);
  }
  Status Rename(const std::string& from, const std::string& to) override;
  Status Sync(const std::string& path) override;
  Status SyncFileSystem(const std::string& path) override;

 private:
  // Something stands at `path` that did not before, or stands there no more.
  struct Change {
    std::string path;
    std::string from;   // Where it was moved from; empty if it is new.
    std::string saved;  // What stood at `path` before, in keep_; empty if nothing did.
    bool removed = false;
    std::vector<std::string> durable{};  // Files of `saved` whose bytes were.
  };

  Status Count();
  Change Replacing(const std::string& path);
  void Undo(const Change& change);
  std::vector<std::string> FilesBelow() const;

  const std::string root_;
  const TemporaryFolder keep_;
  std::uint64_t saved_ = 0;  // Names what is in keep_.
  std::uint64_t calls_ = 0;
  std::uint64_t fatal_ = 0;
  std::vector<Change> changes_;    // Of names, that no sync covers; oldest first.
  std::set<std::string> durable_;  // Files whose bytes are.
};

}  // namespace quorate::env
