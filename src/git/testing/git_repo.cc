#include "git/testing/git_repo.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/check.h"

namespace quorate::git {

TemporaryDirectory::TemporaryDirectory()
    : path_((std::filesystem::temp_directory_path() / "quorate-git-XXXXXX").string()) {
  QUORATE_CHECK(::mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // Left behind at worst.
  std::filesystem::remove_all(path_, ignored);
}

GitRepo::GitRepo(ObjectFormat format) : format_(format) {
  std::filesystem::create_directory(path());
  Output({"init", "--quiet", "--bare", "--object-format=" + std::string(FormatName(format)), "."});
}

GitOutcome GitRepo::Run(std::vector<std::string> arguments, std::string_view input) {
  return RunOver(objects(), std::move(arguments), input);
}

GitOutcome GitRepo::RunOver(const std::string& objects, std::vector<std::string> arguments,
                            std::string_view input) {
  arguments.insert(arguments.begin(), "git");
  env::ChildOptions options{
      .argv = std::move(arguments),
      .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C",
                      "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                      "GIT_OBJECT_DIRECTORY=" + objects, "GIT_AUTHOR_NAME=A",
                      "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
                      "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com",
                      "GIT_COMMITTER_DATE=1700000000 +0000"},
      .directory = path(),
      .pipe_stdin = true,
      .pipe_stdout = true,
      .pipe_stderr = true};
  auto child = launcher_.Launch(options).value();
  // It may refuse to read all of it. What git writes before that fits its pipes.
  static_cast<void>(child->Write(input));
  child->CloseStdin();
  GitOutcome outcome;
  while (true) {
    const std::string bytes = child->ReadStdout(1 << 16).value();
    if (bytes.empty()) {
      break;
    }
    outcome.out += bytes;
  }
  outcome.err = child->ReadStderr(1 << 20).value();
  outcome.status = child->Wait().value();
  return outcome;
}

std::string GitRepo::Output(std::vector<std::string> arguments, std::string_view input) {
  GitOutcome outcome = Run(std::move(arguments), input);
  QUORATE_CHECK(outcome.status == 0);
  if (outcome.out.ends_with('\n')) {
    outcome.out.pop_back();
  }
  return outcome.out;
}

ObjectId GitRepo::WriteLiterally(ObjectType type, std::string_view content) {
  const std::string hex = Output(
      {"hash-object", "-t", std::string(TypeName(type)), "-w", "--stdin", "--literally"}, content);
  return *ObjectId::FromHex(format_, hex);
}

}  // namespace quorate::git
