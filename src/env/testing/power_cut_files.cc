#include "env/testing/power_cut_files.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace quorate::env {
namespace {

namespace fs = std::filesystem;

std::string ParentOf(const std::string& path) {
  return fs::path(path).parent_path().string();
}

bool IsAtOrBelow(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

}  // namespace

PowerCutFiles::PowerCutFiles(FileSystem& files, std::string root)
    : FileSystemWrapper(files), root_(std::move(root)) {
}

void PowerCutFiles::EndAt(std::uint64_t fatal) {
  fatal_ = fatal;
  calls_ = 0;
}

Status PowerCutFiles::Count() {
  if (!ended()) {
    ++calls_;
  }
  return ended() ? Status(Error(Code::kInternal, "the process has ended")) : Ok();
}

// A copy: what stands there may be read until it is replaced.
PowerCutFiles::Change PowerCutFiles::Replacing(const std::string& path) {
  Change change{.path = path, .from = {}, .saved = {}};
  if (fs::exists(path)) {
    change.saved = keep_.path() + "/" + std::to_string(saved_++);
    fs::copy(path, change.saved, fs::copy_options::recursive);
    std::ranges::copy_if(durable_, std::back_inserter(change.durable),
                         [&path](const std::string& name) { return IsAtOrBelow(name, path); });
  }
  return change;
}

void PowerCutFiles::Undo(const Change& change) {
  if (!change.removed && fs::exists(change.path)) {
    const bool durable = durable_.erase(change.path) != 0;
    if (change.from.empty()) {
      fs::remove_all(change.path);
    } else {
      fs::rename(change.path, change.from);
      if (durable) {
        durable_.insert(change.from);
      }
    }
  }
  if (!change.saved.empty() && !fs::exists(change.path)) {
    fs::copy(change.saved, change.path, fs::copy_options::recursive);
    durable_.insert(change.durable.begin(), change.durable.end());
  }
}

std::vector<std::string> PowerCutFiles::FilesBelow() const {
  std::vector<std::string> names;
  if (fs::exists(root_)) {
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      if (entry.is_regular_file()) {
        names.push_back(entry.path().string());
      }
    }
  }
  return names;
}

void PowerCutFiles::CutPower(std::size_t names_kept, Bytes unsynced_bytes) {
  while (changes_.size() > names_kept) {
    Undo(changes_.back());
    changes_.pop_back();
  }
  const std::vector<std::string> names = FilesBelow();
  for (const std::string& name : names) {
    if (unsynced_bytes == Bytes::kTorn && !durable_.contains(name)) {
      fs::permissions(name, fs::perms::owner_write, fs::perm_options::add);
      fs::resize_file(name, fs::file_size(name) / 2);
    }
  }
  changes_.clear();
  durable_ = {names.begin(), names.end()};
  EndAt(0);
}

Status PowerCutFiles::CreateDirectories(const std::string& path) {
  QUORATE_TRY(Count());
  std::vector<std::string> missing;
  for (std::string at = path; !fs::exists(at); at = ParentOf(at)) {
    missing.push_back(at);
  }
  QUORATE_TRY(below().CreateDirectories(path));
  for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
    changes_.push_back({.path = *at, .from = {}, .saved = {}});
  }
  return Ok();
}

Status PowerCutFiles::RemoveAll(const std::string& path) {
  QUORATE_TRY(Count());
  Change change = Replacing(path);
  change.removed = true;
  QUORATE_TRY(below().RemoveAll(path));
  if (!change.saved.empty()) {
    changes_.push_back(std::move(change));
    std::erase_if(durable_, [&path](const std::string& name) { return IsAtOrBelow(name, path); });
  }
  return Ok();
}

Status PowerCutFiles::WriteFile(const std::string& path, std::string_view contents) {
  QUORATE_TRY(Count());
  Change change = Replacing(path);
  QUORATE_TRY(below().WriteFile(path, contents));
  changes_.push_back(std::move(change));
  durable_.erase(path);
  return Ok();
}

Status PowerCutFiles::Rename(const std::string& from, const std::string& to) {
  QUORATE_TRY(Count());
  QUORATE_CHECK(!fs::is_directory(from));
  Change change = Replacing(to);
  change.from = from;
  QUORATE_TRY(below().Rename(from, to));
  changes_.push_back(std::move(change));
  durable_.erase(to);
  if (durable_.erase(from) != 0) {
    durable_.insert(to);
  }
  return Ok();
}

Status PowerCutFiles::Sync(const std::string& path) {
  QUORATE_TRY(Count());
  if (!fs::exists(path)) {
    return Error(Code::kNotFound, "sync " + path + ": no such file");
  }
  if (fs::is_directory(path)) {
    std::erase_if(changes_,
                  [&path](const Change& change) { return ParentOf(change.path) == path; });
  } else {
    durable_.insert(path);
  }
  return Ok();
}

Status PowerCutFiles::SyncFileSystem(const std::string&) {
  QUORATE_TRY(Count());
  const std::vector<std::string> names = FilesBelow();
  changes_.clear();
  durable_ = {names.begin(), names.end()};
  return Ok();
}

}  // namespace quorate::env
