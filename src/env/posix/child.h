// Real child processes: posix_spawn, pipes, a process group each.
#pragma once

#include <memory>

#include "env/child.h"

namespace quorate::env {

// Stateless, safe from any thread. A child gets its three standard streams and nothing else of
// ours: no descriptor, no environment, no blocked or ignored signal. One child is for one thread at
// a time.
class PosixChildLauncher final : public ChildLauncher {
 public:
  // Ignores SIGPIPE in this process, for good: a write to a child that went away is an error to
  // return, not a reason to die.
  PosixChildLauncher();

  Result<std::unique_ptr<Child>> Launch(const ChildOptions& options) override;
};

}  // namespace quorate::env
