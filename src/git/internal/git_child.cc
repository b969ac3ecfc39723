#include "git/internal/git_child.h"

#include <utility>

namespace quorate::git::internal {
namespace {

// Git splits the list at colons, except in quotes.
std::string Quoted(const std::string& path) {
  std::string quoted = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

env::ChildOptions GitChild(const GitPlace& place, std::vector<std::string> arguments) {
  env::ChildOptions options;
  options.argv = std::move(arguments);
  options.argv.insert(options.argv.begin(), "git");
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin",
                         "HOME=/nonexistent",
                         "LANG=C",
                         "LC_ALL=C",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_CONFIG_GLOBAL=/dev/null",
                         "GIT_NO_REPLACE_OBJECTS=1",
                         "GIT_DIR=" + place.git_dir,
                         "GIT_OBJECT_DIRECTORY=" + place.objects};
  std::string alternates;
  for (const std::string& path : place.alternates) {
    alternates += (alternates.empty() ? "" : ":") + Quoted(path);
  }
  if (!alternates.empty()) {
    options.environment.push_back("GIT_ALTERNATE_OBJECT_DIRECTORIES=" + alternates);
  }
  if (place.allocation_max > 0) {
    options.environment.push_back("GIT_ALLOC_LIMIT=" + std::to_string(place.allocation_max));
  }
  options.directory = place.git_dir;
  options.pipe_stdin = true;
  options.pipe_stdout = true;
  options.pipe_stderr = true;
  return options;
}

}  // namespace quorate::git::internal
