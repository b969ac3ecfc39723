// Real git in a temporary bare repository: the judge of what we write, and a source of what it
// writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "env/posix/child.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git {

struct GitOutcome {
  int status = 0;
  std::string out;
  std::string err;
};

// A directory below the system's temporary one, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class GitRepo {
 public:
  explicit GitRepo(ObjectFormat format = ObjectFormat::kSha1);

  std::string path() const { return directory_.path() + "/repo.git"; }
  std::string objects() const { return path() + "/objects"; }

  // `git ARGUMENTS...` in the repository, with these bytes on its standard input.
  GitOutcome Run(std::vector<std::string> arguments, std::string_view input = {});
  // The same over the objects of another directory.
  GitOutcome RunOver(const std::string& objects, std::vector<std::string> arguments,
                     std::string_view input = {});
  // Standard output without the last line's end. REQUIRES: it exits with 0.
  std::string Output(std::vector<std::string> arguments, std::string_view input = {});

  // Writes an object, however malformed.
  ObjectId WriteLiterally(ObjectType type, std::string_view content);

 private:
  const ObjectFormat format_;
  TemporaryDirectory directory_;
  env::PosixChildLauncher launcher_;
};

}  // namespace quorate::git
