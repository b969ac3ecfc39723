#include "env/posix/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "env/posix/file_descriptor.h"
#include "env/posix/system_error.h"

namespace quorate::env {
namespace {

constexpr std::size_t kStderrBytesMax = 256 << 10;  // Kept while nobody asks for it.
constexpr std::size_t kReadBytes = 64 << 10;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

// Keeps clear of 0, 1 and 2, which the child's end is about to become.
Result<FileDescriptor> AboveStandard(FileDescriptor end) {
  if (end.fd() > STDERR_FILENO) {
    return end;
  }
  const int moved = ::fcntl(end.fd(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (moved < 0) {
    return Error(Code::kResourceExhausted, "no file descriptor for a pipe");
  }
  return FileDescriptor(moved);
}

Result<Pipe> MakePipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return Error(Code::kResourceExhausted, SystemError(errno, "make a pipe").message());
  }
  FileDescriptor read(fds[0]);
  FileDescriptor write(fds[1]);
  read = QUORATE_TRY(AboveStandard(std::move(read)));
  write = QUORATE_TRY(AboveStandard(std::move(write)));
  return Pipe{std::move(read), std::move(write)};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& item : strings) {
    pointers.push_back(const_cast<char*>(item.c_str()));  // POSIX: not modified.
  }
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawn's two parameter objects. Out of memory is the only way in which filling them fails.
class SpawnPlan {
 public:
  SpawnPlan() {
    QUORATE_CHECK(::posix_spawn_file_actions_init(&actions_) == 0);
    QUORATE_CHECK(::posix_spawnattr_init(&attributes_) == 0);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    QUORATE_CHECK(::posix_spawnattr_setsigmask(&attributes_, &none) == 0);
    QUORATE_CHECK(::posix_spawnattr_setsigdefault(&attributes_, &all) == 0);
    QUORATE_CHECK(::posix_spawnattr_setpgroup(&attributes_, 0) == 0);
    constexpr int kFlags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
    QUORATE_CHECK(::posix_spawnattr_setflags(&attributes_, kFlags) == 0);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void Stream(const FileDescriptor& ours, int theirs) {
    if (ours.is_open()) {
      QUORATE_CHECK(::posix_spawn_file_actions_adddup2(&actions_, ours.fd(), theirs) == 0);
    } else {
      const int mode = theirs == STDIN_FILENO ? O_RDONLY : O_WRONLY;
      QUORATE_CHECK(::posix_spawn_file_actions_addopen(&actions_, theirs, "/dev/null", mode, 0) ==
                    0);
    }
  }
  void Directory(const std::string& path) {
    QUORATE_CHECK(::posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()) == 0);
  }
  void CloseTheRest() {
    QUORATE_CHECK(::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1) == 0);
  }

  // 0 or an errno.
  int Spawn(pid_t& pid, const ChildOptions& options) {
    const std::vector<char*> argv = Pointers(options.argv);
    const std::vector<char*> environment = Pointers(options.environment);
    return ::posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

class PosixChild final : public Child {
 public:
  PosixChild(pid_t pid, FileDescriptor in, FileDescriptor out, FileDescriptor err)
      : pid_(pid), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {}

  ~PosixChild() override {
    if (pid_ > 0) {
      Kill();
      Reap();
    }
  }

  int stdin_fd() const override { return in_.fd(); }
  int stdout_fd() const override { return out_.fd(); }
  int stderr_fd() const override { return err_.fd(); }
  void CloseStdin() override { in_.Close(); }

  Status Write(std::string_view bytes) override;
  Result<std::string> ReadStdout(std::size_t size_max) override;
  Result<std::string> ReadStderr(std::size_t size_max) override;
  void OnStderr(std::function<void(std::string_view)> sink) override;
  Result<int> Wait() override;
  void Kill() override;

 private:
  void AwaitReady(int fd, short events);
  bool DrainStderr(int timeout_ms);
  int Reap();

  std::mutex reap_mutex_;  // A number that was reaped may be somebody else's.
  pid_t pid_;              // 0 once reaped; changed with reap_mutex_ held.
  FileDescriptor in_;
  FileDescriptor out_;
  FileDescriptor err_;
  bool err_ended_ = false;
  std::string err_bytes_;  // Taken in and not asked for yet.
  std::function<void(std::string_view)> err_sink_;
};

Status PosixChild::Write(std::string_view bytes) {
  if (!in_.is_open()) {
    return Error(Code::kUnavailable, "the child's standard input is closed");
  }
  while (!bytes.empty()) {
    const ssize_t written = ::write(in_.fd(), bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      AwaitReady(in_.fd(), POLLOUT);
    } else if (errno == EPIPE) {
      return Error(Code::kUnavailable, "the child closed its standard input");
    } else if (errno != EINTR) {
      return SystemError(errno, "write to a child");
    }
  }
  return Ok();
}

Result<std::string> PosixChild::ReadStdout(std::size_t size_max) {
  QUORATE_CHECK(out_.is_open());
  std::string bytes(std::min(size_max, kReadBytes), '\0');
  while (true) {
    AwaitReady(out_.fd(), POLLIN);
    const ssize_t got = ::read(out_.fd(), bytes.data(), bytes.size());
    if (got >= 0) {
      bytes.resize(static_cast<std::size_t>(got));
      return bytes;
    }
    if (errno != EINTR && errno != EAGAIN) {
      return SystemError(errno, "read from a child");
    }
  }
}

Result<std::string> PosixChild::ReadStderr(std::size_t size_max) {
  while (DrainStderr(-1)) {
  }
  err_bytes_.resize(std::min(err_bytes_.size(), size_max));
  return std::exchange(err_bytes_, {});
}

void PosixChild::OnStderr(std::function<void(std::string_view)> sink) {
  err_sink_ = std::move(sink);
  if (!err_bytes_.empty()) {
    err_sink_(std::exchange(err_bytes_, {}));
  }
}

// Waits until `fd` is ready (or broken), taking in stderr meanwhile.
void PosixChild::AwaitReady(int fd, short events) {
  while (true) {
    std::array<pollfd, 2> polled{};
    polled[0] = {.fd = fd, .events = events, .revents = 0};
    polled[1] = {.fd = err_ended_ ? -1 : err_.fd(), .events = POLLIN, .revents = 0};
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      continue;
    }
    if (polled[1].revents != 0) {
      DrainStderr(0);
    }
    if (polled[0].revents != 0) {
      return;
    }
  }
}

// Reads once from stderr if something is there within the time; false when it has ended or is
// quiet.
bool PosixChild::DrainStderr(int timeout_ms) {
  if (!err_.is_open() || err_ended_) {
    return false;
  }
  pollfd polled{.fd = err_.fd(), .events = POLLIN, .revents = 0};
  const int ready = ::poll(&polled, 1, timeout_ms);
  if (ready <= 0) {
    return ready < 0;
  }
  std::array<char, 16 << 10> buffer;
  const ssize_t got = ::read(err_.fd(), buffer.data(), buffer.size());
  if (got <= 0) {
    err_ended_ = got == 0 || (errno != EINTR && errno != EAGAIN);
    return !err_ended_;
  }
  if (err_sink_) {
    err_sink_({buffer.data(), static_cast<std::size_t>(got)});
    return true;
  }
  const std::size_t room = kStderrBytesMax - std::min(err_bytes_.size(), kStderrBytesMax);
  err_bytes_.append(buffer.data(), std::min(static_cast<std::size_t>(got), room));
  return true;
}

Result<int> PosixChild::Wait() {
  QUORATE_CHECK(pid_ > 0);
  // A child that still writes would wait for us; so we do not wait for it alone.
  const FileDescriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (end.is_open()) {
    AwaitReady(end.fd(), POLLIN);
  }
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) {
      return SystemError(errno, "wait for a child");
    }
  }
  Kill();  // The rest of its group. Its number is not free for others before we reap it.
  const int status = Reap();
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void PosixChild::Kill() {
  const std::lock_guard lock(reap_mutex_);
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
  }
}

// It has ended, or is about to.
int PosixChild::Reap() {
  const std::lock_guard lock(reap_mutex_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

Error LaunchError(int error_number, const ChildOptions& options) {
  Error error = SystemError(error_number, "start " + options.argv[0]);
  if (error_number == EAGAIN || error_number == ENOMEM || error_number == EMFILE ||
      error_number == ENFILE) {
    return {Code::kResourceExhausted, error.message()};
  }
  return error;
}

}  // namespace

PosixChildLauncher::PosixChildLauncher() {
  std::signal(SIGPIPE, SIG_IGN);
}

Result<std::unique_ptr<Child>> PosixChildLauncher::Launch(const ChildOptions& options) {
  QUORATE_CHECK(!options.argv.empty());
  Pipe in;
  Pipe out;
  Pipe err;
  if (options.pipe_stdin) {
    in = QUORATE_TRY(MakePipe());
  }
  if (options.pipe_stdout) {
    out = QUORATE_TRY(MakePipe());
  }
  if (options.pipe_stderr) {
    err = QUORATE_TRY(MakePipe());
  }
  SpawnPlan plan;
  plan.Stream(in.read, STDIN_FILENO);
  plan.Stream(out.write, STDOUT_FILENO);
  plan.Stream(err.write, STDERR_FILENO);
  plan.CloseTheRest();
  if (!options.directory.empty()) {
    plan.Directory(options.directory);
  }
  if (in.write.is_open() && ::fcntl(in.write.fd(), F_SETFL, O_NONBLOCK) != 0) {
    return SystemError(errno, "set up a pipe");
  }
  pid_t pid = 0;
  const int failed = plan.Spawn(pid, options);
  if (failed != 0) {
    return LaunchError(failed, options);
  }
  return std::unique_ptr<Child>(std::make_unique<PosixChild>(
      pid, std::move(in.write), std::move(out.read), std::move(err.read)));
}

}  // namespace quorate::env
