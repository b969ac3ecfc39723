// Child processes. The caller owns the child; destroying it kills it (with its whole process group)
// and reaps it, so that no child outlives its request.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quorate::env {

struct ChildOptions {
  std::vector<std::string> argv;         // argv[0] is looked up in PATH.
  std::vector<std::string> environment;  // NAME=VALUE, the whole of it: nothing is inherited.
  std::string directory;                 // Where it runs; empty is ours.
  bool pipe_stdin = false;               // Else /dev/null.
  bool pipe_stdout = false;              // Else /dev/null.
  bool pipe_stderr = false;              // Else /dev/null.
};

class Child {
 public:
  virtual ~Child() = default;

  // Our ends of the pipes, -1 where there is none or it was closed. Non-blocking I/O on them is the
  // caller's affair, and then instead of the calls below; the child keeps owning them. That of
  // stdin is non-blocking already.
  virtual int stdin_fd() const = 0;
  virtual int stdout_fd() const = 0;
  virtual int stderr_fd() const = 0;
  virtual void CloseStdin() = 0;

  // Blocking writes and reads. Write fails with kUnavailable when the child closed its end. Read
  // returns "" at the end of the stream. While they wait they take in what the child writes to
  // stderr (as far as ReadStderr() will want it), so that a talkative child does not stand still.
  virtual Status Write(std::string_view bytes) = 0;
  virtual Result<std::string> ReadStdout(std::size_t size_max) = 0;
  // All of stderr up to its end; what is beyond `size_max` is read and dropped.
  virtual Result<std::string> ReadStderr(std::size_t size_max) = 0;

  // From now on what comes on stderr is given to `sink` as it comes, within the calls above and
  // Wait(), and not kept for ReadStderr(), which then only waits for the end.
  virtual void OnStderr(std::function<void(std::string_view bytes)> sink) = 0;

  // Waits for the end. The exit status, or 128 + signal. Once only.
  virtual Result<int> Wait() = 0;

  // With its group. Any thread, also while another call is under way, which then ends.
  virtual void Kill() = 0;
};

class ChildLauncher {
 public:
  virtual ~ChildLauncher() = default;

  // kNotFound: no such program. kResourceExhausted: no process to be had.
  virtual Result<std::unique_ptr<Child>> Launch(const ChildOptions& options) = 0;
};

}  // namespace quorate::env
