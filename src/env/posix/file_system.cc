#include "env/posix/file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "env/posix/file_descriptor.h"
#include "env/posix/system_error.h"

namespace quorate::env {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytesMax = 1 << 20;  // Of one read().

Result<FileDescriptor> Open(const std::string& path, int flags, int mode = 0) {
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) {
      return FileDescriptor(fd);
    }
    if (errno != EINTR) {
      return SystemError(errno, "open " + path);
    }
  }
}

Status WriteAll(const FileDescriptor& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.fd(), bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return SystemError(errno, "write " + path);
    }
  }
  return Ok();
}

// Writes the whole file, or leaves none.
Status WriteNew(const std::string& path, std::string_view contents) {
  FileDescriptor file = QUORATE_TRY(Open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
  Status written = WriteAll(file, contents, path);
  if (file.Close() != 0 && written) {
    written = SystemError(errno, "close " + path);
  }
  if (!written) {
    ::unlink(path.c_str());
  }
  return written;
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Status Append(std::string_view bytes) override { return WriteAll(file_, bytes, path_); }
  Status Close() override {
    if (file_.Close() != 0) {
      return SystemError(errno, "close " + path_);
    }
    return Ok();
  }

 private:
  FileDescriptor file_;
  const std::string path_;
};

Result<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size,
                             std::uint64_t offset, const std::string& path) {
  while (true) {
    const ssize_t got = ::pread(file.fd(), buffer, size, static_cast<off_t>(offset));
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) {
      return SystemError(errno, "read " + path);
    }
  }
}

// Up to `size_max` bytes; fewer at the end of the file.
Result<std::string> ReadUpTo(const FileDescriptor& file, std::uint64_t offset, std::size_t size_max,
                             const std::string& path) {
  std::string bytes;
  while (bytes.size() < size_max) {
    const std::size_t before = bytes.size();
    const std::size_t want = std::min(kReadBytesMax, size_max - before);
    bytes.resize(before + want);
    const std::size_t got =
        QUORATE_TRY(ReadSome(file, bytes.data() + before, want, offset + before, path));
    bytes.resize(before + got);
    if (got == 0) {
      break;
    }
  }
  return bytes;
}

Result<struct statvfs> StatFileSystem(const std::string& path) {
  struct statvfs stats {};
  if (::statvfs(path.c_str(), &stats) != 0) {
    return SystemError(errno, "statvfs " + path);
  }
  return stats;
}

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(FileDescriptor file) : file_(std::move(file)) {}

 private:
  const FileDescriptor file_;  // Closing it unlocks.
};

}  // namespace

Status PosixFileSystem::CreateDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return SystemError(error.value(), "create directory " + path);
  }
  return Ok();
}

Status PosixFileSystem::RemoveAll(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error && error.value() != ENOENT) {
    return SystemError(error.value(), "remove " + path);
  }
  return Ok();
}

Status PosixFileSystem::WriteFile(const std::string& path, std::string_view contents) {
  // The process id keeps apart two processes; what an earlier one left under the name is
  // overwritten.
  const std::string temporary =
      path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(temporaries_.fetch_add(1));
  QUORATE_TRY(WriteNew(temporary, contents));
  Status renamed = Rename(temporary, path);
  if (!renamed) {
    ::unlink(temporary.c_str());
  }
  return renamed;
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::NewFile(const std::string& path) {
  FileDescriptor file = QUORATE_TRY(Open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666));
  return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(file), path));
}

Result<std::string> PosixFileSystem::ReadFile(const std::string& path) {
  const FileDescriptor file = QUORATE_TRY(Open(path, O_RDONLY));
  return ReadUpTo(file, 0, SIZE_MAX, path);
}

Result<std::string> PosixFileSystem::ReadRange(const std::string& path, std::uint64_t offset,
                                               std::size_t size_max) {
  const FileDescriptor file = QUORATE_TRY(Open(path, O_RDONLY));
  return ReadUpTo(file, offset, size_max, path);
}

Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return SystemError(errno, "rename " + from + " to " + to);
  }
  return Ok();
}

bool PosixFileSystem::Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<std::uint64_t> PosixFileSystem::FileSize(const std::string& path) {
  struct stat stats {};
  if (::stat(path.c_str(), &stats) != 0) {
    return SystemError(errno, "stat " + path);
  }
  return static_cast<std::uint64_t>(stats.st_size);
}

Result<std::vector<std::string>> PosixFileSystem::List(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator i(path, error), end; !error && i != end; i.increment(error)) {
    names.push_back(i->path().filename().string());
  }
  if (error) {
    return SystemError(error.value(), "list " + path);
  }
  std::ranges::sort(names);
  return names;
}

Status PosixFileSystem::Sync(const std::string& path) {
  const FileDescriptor file = QUORATE_TRY(Open(path, O_RDONLY));
  if (::fsync(file.fd()) != 0) {
    return SystemError(errno, "fsync " + path);
  }
  return Ok();
}

Status PosixFileSystem::SyncFileSystem(const std::string& path) {
  const FileDescriptor file = QUORATE_TRY(Open(path, O_RDONLY));
  if (::syncfs(file.fd()) != 0) {
    return SystemError(errno, "syncfs " + path);
  }
  return Ok();
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::Lock(const std::string& path) {
  FileDescriptor file = QUORATE_TRY(Open(path, O_RDWR | O_CREAT, 0644));
  while (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error(Code::kAlreadyExists, path + " is locked");
    }
    if (errno != EINTR) {
      return SystemError(errno, "lock " + path);
    }
  }
  if (::ftruncate(file.fd(), 0) != 0) {
    return SystemError(errno, "truncate " + path);
  }
  QUORATE_TRY(WriteAll(file, std::to_string(::getpid()) + "\n", path));
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(file)));
}

Result<std::uint64_t> PosixFileSystem::SpaceAvailable(const std::string& path) {
  const struct statvfs stats = QUORATE_TRY(StatFileSystem(path));
  return static_cast<std::uint64_t>(stats.f_bavail) * stats.f_frsize;
}

}  // namespace quorate::env
