#include "env/testing/power_cut_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "env/posix/file_system.h"

namespace quorate::env {
namespace {

class PowerCutFilesTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, const std::string& contents = "contents") {
    ASSERT_TRUE(files_.WriteFile(Path(name), contents));
  }
  // "name=contents", each, in order; a directory without contents.
  std::vector<std::string> All() {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      const std::string name = std::filesystem::relative(entry.path(), root_).string();
      all.push_back(entry.is_directory() ? name
                                         : name + "=" + posix_.ReadFile(entry.path()).value());
    }
    std::ranges::sort(all);
    return all;
  }
  using Names = std::vector<std::string>;

  TemporaryFolder folder_;
  const std::string root_ = folder_.path();
  PosixFileSystem posix_;
  PowerCutFiles files_{posix_, root_};
};

TEST_F(PowerCutFilesTest, FromTheFatalCallOnNothingHappens) {
  files_.EndAt(2);
  Write("a");

  EXPECT_FALSE(files_.WriteFile(Path("b"), ""));
  EXPECT_FALSE(files_.Sync(root_));
  EXPECT_TRUE(files_.ended());
  EXPECT_EQ(files_.calls(), 2u);
  EXPECT_EQ(All(), (Names{"a=contents"}));
}

TEST_F(PowerCutFilesTest, NamesGoBackAsFarAsOneLikes) {
  Write("a", "old");
  ASSERT_TRUE(files_.SyncFileSystem(root_));
  Write("a", "new");
  ASSERT_TRUE(files_.CreateDirectories(Path("d")));
  ASSERT_TRUE(files_.Rename(Path("a"), Path("d/b")));
  ASSERT_TRUE(files_.RemoveAll(Path("d")));
  ASSERT_EQ(files_.unsynced(), 4u);

  files_.CutPower(3, PowerCutFiles::Bytes::kKept);
  EXPECT_EQ(All(), (Names{"d", "d/b=new"}));
}

TEST_F(PowerCutFilesTest, WhatNoSyncCoversIsUndone) {
  Write("a", "old");
  ASSERT_TRUE(files_.SyncFileSystem(root_));
  Write("a", "new");
  ASSERT_TRUE(files_.CreateDirectories(Path("d")));
  ASSERT_TRUE(files_.Rename(Path("a"), Path("d/b")));
  ASSERT_TRUE(files_.RemoveAll(Path("d")));

  files_.CutPower(0, PowerCutFiles::Bytes::kKept);
  EXPECT_EQ(All(), (Names{"a=old"}));
}

TEST_F(PowerCutFilesTest, ASyncOfADirectoryKeepsTheNamesInItAndOneOfAFileItsBytes) {
  ASSERT_TRUE(files_.CreateDirectories(Path("d")));
  Write("d/kept", "12345678");
  Write("d/torn", "12345678");
  ASSERT_TRUE(files_.Sync(Path("d/kept")));
  ASSERT_TRUE(files_.Sync(Path("d")));
  ASSERT_TRUE(files_.Sync(root_));
  Write("lost");

  files_.CutPower(0, PowerCutFiles::Bytes::kTorn);
  EXPECT_EQ(All(), (Names{"d", "d/kept=12345678", "d/torn=1234"}));
}

TEST_F(PowerCutFilesTest, WhatComesBackIsAsDurableAsItWas) {
  Write("moved", "12345678");
  Write("removed", "12345678");
  Write("replaced", "12345678");
  ASSERT_TRUE(files_.SyncFileSystem(root_));
  ASSERT_TRUE(files_.Rename(Path("moved"), Path("elsewhere")));
  ASSERT_TRUE(files_.RemoveAll(Path("removed")));
  Write("replaced", "new");

  files_.CutPower(0, PowerCutFiles::Bytes::kTorn);
  EXPECT_EQ(All(), (Names{"moved=12345678", "removed=12345678", "replaced=12345678"}));
}

TEST_F(PowerCutFilesTest, BytesAreAsDurableWhereAFileIsMovedTo) {
  Write("a", "12345678");
  ASSERT_TRUE(files_.Sync(Path("a")));
  ASSERT_TRUE(files_.Rename(Path("a"), Path("b")));
  Write("c", "12345678");
  ASSERT_TRUE(files_.Rename(Path("c"), Path("e")));

  files_.CutPower(files_.unsynced(), PowerCutFiles::Bytes::kTorn);
  EXPECT_EQ(All(), (Names{"b=12345678", "e=1234"}));
}

}  // namespace
}  // namespace quorate::env
