// DataDirectory: DATA as files: its lock, its version, and what lies where.
//
//   LOCK                 flock()ed while a node runs; holds its process id
//   VERSION              "quorate data 2"; written last when a directory is founded
//   db/                  the ordered store
//   partitions/<id>/     objects of a partition (git::ObjectStore); their incoming/ is emptied at
//   start views/               rendered views for children; emptied at start
//
// docs/formats/data_directory.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "env/file_system.h"

namespace quorate::cluster {

// Safe from any thread. The lock is held as long as it lives.
class DataDirectory {
 public:
  // Locks `path`, which is made if it does not exist, and checks its VERSION. Blocks.
  //   kAlreadyExists    another process has it open; the message says which;
  //   kInvalidArgument  another program's files, or a VERSION that this binary does not know;
  //   kCorruption       a VERSION without db/: the store was taken away.
  static Result<std::unique_ptr<DataDirectory>> Open(std::string path, env::FileSystem& files);

  // The same for a directory whose node is stopped, to look at it: makes nothing, changes nothing
  // but the lock. kNotFound: there is no founded data directory.
  static Result<std::unique_ptr<DataDirectory>> OpenStopped(std::string path,
                                                            env::FileSystem& files);

  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/db"; }
  std::string views() const { return path_ + "/views"; }
  std::string partition(PartitionId id) const;

  // VERSION is there: the directory was founded completely once.
  bool founded() const { return founded_; }
  // The store has its first records: writes VERSION, durably. Idempotent. Blocks.
  Status MarkFounded();

  // Partitions that have a directory, ascending. Blocks.
  Result<std::vector<PartitionId>> PartitionDirectories() const;
  Status RemovePartition(PartitionId id);

 private:
  DataDirectory(std::string path, env::FileSystem& files, std::unique_ptr<env::FileLock> lock)
      : path_(std::move(path)), files_(files), lock_(std::move(lock)) {}

  Status Check();
  Status Prepare();

  const std::string path_;
  env::FileSystem& files_;
  const std::unique_ptr<env::FileLock> lock_;
  bool founded_ = false;
};

}  // namespace quorate::cluster
