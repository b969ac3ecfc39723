#include "env/posix/file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "env/posix/system_error.h"

namespace quorate::env {
namespace {

class PosixFileSystemTest : public ::testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "quorate-files-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~PosixFileSystemTest() override { std::filesystem::remove_all(root_); }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  PosixFileSystem files_;
  std::string root_;
};

using Names = std::vector<std::string>;

TEST_F(PosixFileSystemTest, WrittenFileIsReadBackAndLeavesNoTemporary) {
  std::string contents(3 << 20, 'x');  // More than one read().
  contents[2 << 20] = '\0';
  ASSERT_TRUE(files_.WriteFile(Path("a"), contents));
  ASSERT_TRUE(files_.WriteFile(Path("b"), ""));

  EXPECT_EQ(files_.ReadFile(Path("a")).value(), contents);
  EXPECT_EQ(files_.ReadFile(Path("b")).value(), "");
  EXPECT_EQ(files_.FileSize(Path("a")).value(), contents.size());
  EXPECT_EQ(files_.List(root_).value(), (Names{"a", "b"}));
}

TEST_F(PosixFileSystemTest, NewFileIsWrittenFromFrontToBackOverAnOldOne) {
  ASSERT_TRUE(files_.WriteFile(Path("a"), "something longer, and older"));

  auto file = files_.NewFile(Path("a"));
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Append("one "));
  ASSERT_TRUE((*file)->Append("two"));
  ASSERT_TRUE((*file)->Close());

  EXPECT_EQ(files_.ReadFile(Path("a")).value(), "one two");
  EXPECT_EQ(files_.NewFile(Path("none/b")).error().code(), Code::kNotFound);
}

TEST_F(PosixFileSystemTest, WriteReplacesTheOldFile) {
  ASSERT_TRUE(files_.WriteFile(Path("a"), "a long old text"));
  ASSERT_TRUE(files_.WriteFile(Path("a"), "new"));
  EXPECT_EQ(files_.ReadFile(Path("a")).value(), "new");
}

TEST_F(PosixFileSystemTest, RangesEndWithTheFile) {
  ASSERT_TRUE(files_.WriteFile(Path("a"), "0123456789"));
  EXPECT_EQ(files_.ReadRange(Path("a"), 2, 3).value(), "234");
  EXPECT_EQ(files_.ReadRange(Path("a"), 8, 30).value(), "89");
  EXPECT_EQ(files_.ReadRange(Path("a"), 10, 5).value(), "");
  EXPECT_EQ(files_.ReadRange(Path("a"), 99, 5).value(), "");
}

TEST_F(PosixFileSystemTest, MissingThingsAreNotFound) {
  EXPECT_EQ(files_.ReadFile(Path("a")).error().code(), Code::kNotFound);
  EXPECT_EQ(files_.ReadRange(Path("a"), 0, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(files_.FileSize(Path("a")).error().code(), Code::kNotFound);
  EXPECT_EQ(files_.List(Path("a")).error().code(), Code::kNotFound);
  EXPECT_EQ(files_.Sync(Path("a")).error().code(), Code::kNotFound);
  EXPECT_EQ(files_.Rename(Path("a"), Path("b")).error().code(), Code::kNotFound);
  EXPECT_EQ(files_.WriteFile(Path("no/dir"), "x").error().code(), Code::kNotFound);
  EXPECT_FALSE(files_.Exists(Path("a")));
  EXPECT_TRUE(files_.RemoveAll(Path("a")));
}

TEST_F(PosixFileSystemTest, FailedWriteLeavesNothing) {
  ASSERT_TRUE(files_.CreateDirectories(Path("dir/sub")));
  EXPECT_FALSE(files_.WriteFile(Path("dir"), "x"));  // Cannot replace a directory.
  EXPECT_EQ(files_.List(root_).value(), (Names{"dir"}));
}

TEST_F(PosixFileSystemTest, DirectoriesAreMadeAndRemovedWhole) {
  ASSERT_TRUE(files_.CreateDirectories(Path("a/b/c")));
  ASSERT_TRUE(files_.CreateDirectories(Path("a/b/c")));
  ASSERT_TRUE(files_.WriteFile(Path("a/b/c/file"), "x"));
  EXPECT_EQ(files_.List(Path("a/b")).value(), (Names{"c"}));
  ASSERT_TRUE(files_.RemoveAll(Path("a")));
  EXPECT_EQ(files_.List(root_).value(), Names{});
}

TEST_F(PosixFileSystemTest, DirectoriesAreNotMadeOverOrBelowFiles) {
  ASSERT_TRUE(files_.WriteFile(Path("file"), "x"));

  EXPECT_FALSE(files_.CreateDirectories(Path("file")));
  EXPECT_FALSE(files_.CreateDirectories(Path("file/below")));
  EXPECT_EQ(files_.ReadFile(Path("file")).value(), "x");
}

TEST_F(PosixFileSystemTest, RenameReplaces) {
  ASSERT_TRUE(files_.WriteFile(Path("a"), "new"));
  ASSERT_TRUE(files_.WriteFile(Path("b"), "old"));
  ASSERT_TRUE(files_.Rename(Path("a"), Path("b")));
  EXPECT_EQ(files_.ReadFile(Path("b")).value(), "new");
  EXPECT_EQ(files_.List(root_).value(), (Names{"b"}));
}

TEST_F(PosixFileSystemTest, SyncTakesFilesAndDirectories) {
  ASSERT_TRUE(files_.WriteFile(Path("a"), "x"));
  EXPECT_TRUE(files_.Sync(Path("a")));
  EXPECT_TRUE(files_.Sync(root_));
  EXPECT_TRUE(files_.SyncFileSystem(root_));
  EXPECT_GT(files_.SpaceAvailable(root_).value(), 0U);
}

TEST(SystemErrorTest, FullDiskAndQuotaAreLimits) {
  EXPECT_EQ(SystemError(ENOSPC, "x").code(), Code::kResourceExhausted);
  EXPECT_EQ(SystemError(EDQUOT, "x").code(), Code::kResourceExhausted);
  EXPECT_EQ(SystemError(ENOENT, "x").code(), Code::kNotFound);
  EXPECT_EQ(SystemError(EIO, "write a").code(), Code::kInternal);
  EXPECT_EQ(SystemError(EIO, "write a").message(), "write a: Input/output error");
}

TEST_F(PosixFileSystemTest, ALockKeepsOthersOutUntilItGoes) {
  Result<std::unique_ptr<FileLock>> first = files_.Lock(Path("LOCK"));
  ASSERT_TRUE(first);
  EXPECT_EQ(files_.ReadFile(Path("LOCK")).value(), std::to_string(::getpid()) + "\n");

  const Result<std::unique_ptr<FileLock>> second = files_.Lock(Path("LOCK"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAlreadyExists);

  first.value().reset();
  EXPECT_TRUE(files_.Lock(Path("LOCK")));
}

}  // namespace
}  // namespace quorate::env
