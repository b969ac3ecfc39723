#include "env/posix/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

namespace quorate::env {
namespace {

ChildOptions Shell(const std::string& script) {
  return {.argv = {"sh", "-c", script},
          .environment = {"PATH=/usr/bin:/bin"},
          .directory = "",
          .pipe_stdin = true,
          .pipe_stdout = true,
          .pipe_stderr = true};
}

std::string ReadAll(Child& child) {
  std::string all;
  while (true) {
    const Result<std::string> bytes = child.ReadStdout(1 << 20);
    if (!bytes || bytes->empty()) {
      return all;
    }
    all += *bytes;
  }
}

class PosixChildTest : public ::testing::Test {
 protected:
  std::unique_ptr<Child> Launch(const std::string& script) {
    return launcher_.Launch(Shell(script)).value();
  }

  PosixChildLauncher launcher_;
};

TEST_F(PosixChildTest, StreamsAndStatusAreTheChilds) {
  auto child = Launch("cat; echo oops >&2; exit 3");
  ASSERT_TRUE(child->Write("hello"));
  child->CloseStdin();
  EXPECT_EQ(child->stdin_fd(), -1);
  EXPECT_EQ(ReadAll(*child), "hello");
  EXPECT_EQ(child->ReadStderr(100).value(), "oops\n");
  EXPECT_EQ(child->Wait().value(), 3);
}

TEST_F(PosixChildTest, MissingProgramIsNotFound) {
  ChildOptions options = Shell("");
  options.argv = {"quorate-no-such-program"};
  EXPECT_EQ(launcher_.Launch(options).error().code(), Code::kNotFound);
}

TEST_F(PosixChildTest, RunsInItsDirectoryWithItsEnvironmentOnly) {
  ChildOptions options = Shell("pwd; env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=");
  options.directory = "/usr";
  options.environment = {"PATH=/usr/bin:/bin", "COLOUR=green"};
  auto child = launcher_.Launch(options).value();
  EXPECT_EQ(ReadAll(*child), "/usr\nCOLOUR=green\nPATH=/usr/bin:/bin\n");
  EXPECT_EQ(child->Wait().value(), 0);
}

TEST_F(PosixChildTest, InheritsNoDescriptor) {
  const int leak = ::open("/dev/null", O_RDONLY);  // No O_CLOEXEC, as a careless library would.
  ASSERT_GE(leak, 0);
  // The shell itself has 0, 1, 2; ls has one more for the directory.
  auto child = Launch("ls /proc/self/fd | wc -l");
  EXPECT_EQ(ReadAll(*child), "4\n");
  ::close(leak);
}

TEST_F(PosixChildTest, StreamsNotAskedForAreNull) {
  ChildOptions options = Shell("cat; echo x; echo y >&2; exit 7");
  options.pipe_stdin = options.pipe_stdout = options.pipe_stderr = false;
  auto child = launcher_.Launch(options).value();
  EXPECT_EQ(child->stdin_fd(), -1);
  EXPECT_EQ(child->stdout_fd(), -1);
  EXPECT_EQ(child->stderr_fd(), -1);
  EXPECT_EQ(child->Wait().value(), 7);
}

TEST_F(PosixChildTest, WriteToOneThatLeftFailsAndKillsNobody) {
  auto child = Launch("exec <&-; echo closed; cat /dev/zero | head -c 100 >/dev/null");
  EXPECT_EQ(child->ReadStdout(100).value(), "closed\n");
  EXPECT_EQ(child->Write(std::string(1 << 20, 'x')).error().code(), Code::kUnavailable);
}

TEST_F(PosixChildTest, TalkativeChildDoesNotStandStill) {
  // Far more stderr than a pipe holds before it reads anything.
  auto child =
      Launch("head -c 1000000 /dev/zero >&2; cat >/dev/null; head -c 1000000 /dev/zero >&2");
  ASSERT_TRUE(child->Write(std::string(1 << 20, 'x')));
  child->CloseStdin();
  EXPECT_EQ(child->Wait().value(), 0);
  const std::string kept = child->ReadStderr(1 << 30).value();
  EXPECT_GT(kept.size(), 100000U);
  EXPECT_LT(kept.size(), 500000U);  // Bounded.
}

TEST_F(PosixChildTest, StderrIsHeardWhileOneWaitsForTheChild) {
  auto child = Launch("echo one >&2; echo; read x; echo two >&2; echo; read x; echo three >&2");
  std::string heard;
  EXPECT_EQ(child->ReadStdout(10).value(), "\n");
  child->OnStderr([&heard](std::string_view bytes) { heard += bytes; });
  ASSERT_TRUE(child->Write("\n"));
  EXPECT_EQ(child->ReadStdout(10).value(), "\n");
  EXPECT_EQ(heard, "one\ntwo\n");
  ASSERT_TRUE(child->Write("\n"));
  EXPECT_EQ(child->ReadStderr(100).value(), "");
  EXPECT_EQ(heard, "one\ntwo\nthree\n");
  EXPECT_EQ(child->Wait().value(), 0);
}

TEST_F(PosixChildTest, DestroyingKillsTheWholeGroupAndReaps) {
  // The child and its child both sleep; the parent's number comes first.
  auto child = Launch("sleep 1000 & echo $$ $!; wait");
  const std::string numbers = child->ReadStdout(100).value();
  const int parent = std::stoi(numbers);
  const int grandchild = std::stoi(numbers.substr(numbers.find(' ')));
  ASSERT_EQ(::kill(parent, 0), 0);

  // Its pipe ends when the last of the group is gone.
  const int out = ::dup(child->stdout_fd());
  child.reset();

  char byte = 0;
  EXPECT_EQ(::read(out, &byte, 1), 0);
  EXPECT_EQ(::kill(parent, 0), -1);  // Not even a zombie.
  EXPECT_EQ(errno, ESRCH);
  EXPECT_NE(parent, grandchild);
  ::close(out);
}

TEST_F(PosixChildTest, KillingFromAnotherThreadEndsACall) {
  auto child = Launch("echo up; exec sleep 1000");
  ASSERT_EQ(child->ReadStdout(10).value(), "up\n");
  std::thread killer([&child] { child->Kill(); });

  EXPECT_EQ(child->ReadStdout(10).value(), "");
  EXPECT_EQ(child->Wait().value(), 128 + SIGKILL);

  killer.join();
  child->Kill();  // Nobody is hit.
}

TEST_F(PosixChildTest, SignalsAreReportedAsShellsDo) {
  auto child = Launch("kill -TERM $$");
  EXPECT_EQ(child->Wait().value(), 128 + SIGTERM);
}

TEST_F(PosixChildTest, WaitDoesNotWaitForThoseLeftBehind) {
  auto child = Launch("sleep 1000 & exit 4");
  EXPECT_EQ(child->Wait().value(), 4);
}

TEST_F(PosixChildTest, IgnoredSignalsAreNotInherited) {
  // We ignore SIGPIPE; the child must die of it as any program.
  auto child = Launch("sh -c 'kill -PIPE $$'; echo $?");
  EXPECT_EQ(ReadAll(*child), "141\n");
}

}  // namespace
}  // namespace quorate::env
