// ScriptedChildren: real child processes that run a shell script in place of their program, if one
// is given.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "env/child.h"
#include "env/posix/child.h"

namespace quorate::env {

class ScriptedChildren final : public ChildLauncher {
 public:
  // Before anybody launches.
  void RunInPlace(std::string script) { script_ = std::move(script); }

  Result<std::unique_ptr<Child>> Launch(const ChildOptions& options) override {
    ChildOptions changed = options;
    if (!script_.empty()) {
      changed.argv = {"/bin/sh", "-c", script_};
    }
    return real_.Launch(changed);
  }

 private:
  PosixChildLauncher real_;
  std::string script_;
};

}  // namespace quorate::env
