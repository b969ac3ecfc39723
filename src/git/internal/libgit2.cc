#include "git/internal/libgit2.h"

#include <git2.h>

#include "base/check.h"

namespace quorate::git::internal {

void StartLibgit2() {
  static const int started = [] {
    const int count = git_libgit2_init();
    git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
    return count;
  }();
  QUORATE_CHECK(started > 0);
}

std::string Libgit2Message() {
  const git_error* error = git_error_last();
  return error == nullptr || error->message == nullptr ? "unknown error" : error->message;
}

}  // namespace quorate::git::internal
