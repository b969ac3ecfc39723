#include "cluster/data_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/bytes.h"

namespace quorate::cluster {
namespace {

constexpr std::string_view kVersion = "quorate data 2\n";
constexpr std::string_view kVersionPrefix = "quorate data ";

std::string TrimmedLine(std::string_view text) {
  return Printable(text.substr(0, text.find('\n')), 80);
}

// Ours, as far as an unfinished foundation may have come. Anything else means that the path is
// wrong.
bool MayLieInANewDirectory(const std::string& name) {
  static const std::set<std::string> ours = {"LOCK", "db", "partitions", "views", "lost+found"};
  return ours.contains(name) || name.starts_with("VERSION.tmp-");
}

std::optional<PartitionId> ParsePartitionId(const std::string& name) {
  PartitionId id;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id.value);
  if (error != std::errc() || end != name.data() + name.size()) {
    return std::nullopt;
  }
  return id;
}

Result<std::unique_ptr<env::FileLock>> TakeLock(const std::string& path, env::FileSystem& files) {
  const std::string lock_path = path + "/LOCK";
  Result<std::unique_ptr<env::FileLock>> lock = files.Lock(lock_path);
  if (lock || lock.error().code() != Code::kAlreadyExists) {
    return lock;
  }
  const Result<std::string> owner = files.ReadFile(lock_path);
  return Error(Code::kAlreadyExists,
               fmt::format("data directory {} is in use by another process (pid {})", path,
                           owner ? TrimmedLine(*owner) : "unknown"));
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(std::string path,
                                                           env::FileSystem& files) {
  QUORATE_TRY(files.CreateDirectories(path));
  auto lock = QUORATE_TRY(TakeLock(path, files));
  std::unique_ptr<DataDirectory> directory(
      new DataDirectory(std::move(path), files, std::move(lock)));
  QUORATE_TRY(directory->Check());
  QUORATE_TRY(directory->Prepare());
  return directory;
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::OpenStopped(std::string path,
                                                                  env::FileSystem& files) {
  if (!files.Exists(path + "/VERSION")) {
    return Error(Code::kNotFound, fmt::format("{} is not a data directory", path));
  }
  auto lock = QUORATE_TRY(TakeLock(path, files));
  std::unique_ptr<DataDirectory> directory(
      new DataDirectory(std::move(path), files, std::move(lock)));
  QUORATE_TRY(directory->Check());
  return directory;
}

std::string DataDirectory::partition(PartitionId id) const {
  return fmt::format("{}/partitions/{}", path_, id.value);
}

Status DataDirectory::Check() {
  const Result<std::string> version = files_.ReadFile(path_ + "/VERSION");
  if (!version && version.error().code() != Code::kNotFound) {
    return version.error();
  }
  founded_ = version.has_value();
  if (!founded_) {
    for (const std::string& name : QUORATE_TRY(files_.List(path_))) {
      if (!MayLieInANewDirectory(name)) {
        return Error(Code::kInvalidArgument,
                     fmt::format("data directory {} is not empty and not ours: it has '{}' but no "
                                 "VERSION",
                                 path_, Printable(name)));
      }
    }
    return Ok();
  }
  if (*version != kVersion) {
    const bool ours = version->starts_with(kVersionPrefix);
    return Error(Code::kInvalidArgument,
                 fmt::format("data directory {} {} '{}'; this binary knows '{}'", path_,
                             ours ? "was written by another release:" : "has a strange VERSION:",
                             TrimmedLine(*version), TrimmedLine(kVersion)));
  }
  if (!files_.Exists(database())) {
    return Error(Code::kCorruption,
                 fmt::format("data directory {} has lost its store: there is no db/", path_));
  }
  return Ok();
}

Status DataDirectory::Prepare() {
  QUORATE_TRY(files_.RemoveAll(views()));
  QUORATE_TRY(files_.CreateDirectories(views()));
  QUORATE_TRY(files_.CreateDirectories(path_ + "/partitions"));
  // Quarantines of pushes that a crash cut off. A repository that nobody asks for is never opened,
  // and would keep its own for ever.
  for (const PartitionId id : QUORATE_TRY(PartitionDirectories())) {
    QUORATE_TRY(files_.RemoveAll(partition(id) + "/incoming"));
  }
  return Ok();
}

Status DataDirectory::MarkFounded() {
  if (founded_) {
    return Ok();
  }
  const std::string version = path_ + "/VERSION";
  QUORATE_TRY(files_.WriteFile(version, kVersion));
  QUORATE_TRY(files_.Sync(version));
  QUORATE_TRY(files_.Sync(path_));
  founded_ = true;
  return Ok();
}

Result<std::vector<PartitionId>> DataDirectory::PartitionDirectories() const {
  std::vector<PartitionId> ids;
  for (const std::string& name : QUORATE_TRY(files_.List(path_ + "/partitions"))) {
    if (const std::optional<PartitionId> id = ParsePartitionId(name)) {
      ids.push_back(*id);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

Status DataDirectory::RemovePartition(PartitionId id) {
  return files_.RemoveAll(partition(id));
}

}  // namespace quorate::cluster
