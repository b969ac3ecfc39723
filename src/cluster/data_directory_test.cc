#include "cluster/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "env/posix/file_system.h"
#include "env/testing/temporary_folder.h"

namespace quorate::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DataDirectoryTest : public testing::Test {
 protected:
  Result<std::unique_ptr<DataDirectory>> Open() { return DataDirectory::Open(path_, files_); }

  void Found() {
    ASSERT_TRUE(files_.CreateDirectories(path_ + "/db"));
    ASSERT_TRUE(Open().value()->MarkFounded());
  }

  Error OpenError() {
    Result<std::unique_ptr<DataDirectory>> opened = Open();
    return opened ? Error(Code::kInternal, "it opened") : std::move(opened).error();
  }

  const env::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/deep/data";
  env::PosixFileSystem files_;
};

TEST_F(DataDirectoryTest, IsFoundedOnlyOnceItSaysSo) {
  EXPECT_FALSE(Open().value()->founded());
  EXPECT_FALSE(Open().value()->founded());

  Found();

  EXPECT_TRUE(Open().value()->founded());
  EXPECT_EQ(files_.ReadFile(path_ + "/VERSION").value(), "quorate data 2\n");
}

TEST_F(DataDirectoryTest, ASecondOneIsRefusedAndSaysWhoHasIt) {
  const auto first = Open().value();

  const Error refused = OpenError();

  EXPECT_EQ(refused.code(), Code::kAlreadyExists);
  EXPECT_EQ(refused.message(), "data directory " + path_ + " is in use by another process (pid " +
                                   std::to_string(::getpid()) + ")");
}

TEST_F(DataDirectoryTest, RefusesVersionsThatItDoesNotKnow) {
  Found();

  ASSERT_TRUE(files_.WriteFile(path_ + "/VERSION", "quorate data 3\n"));
  const Error later = OpenError();
  ASSERT_TRUE(files_.WriteFile(path_ + "/VERSION", "8\n"));
  const Error strange = OpenError();

  EXPECT_EQ(later.code(), Code::kInvalidArgument);
  EXPECT_THAT(later.message(), HasSubstr("was written by another release: 'quorate data 3'"));
  EXPECT_EQ(strange.code(), Code::kInvalidArgument);
  EXPECT_THAT(strange.message(), HasSubstr("has a strange VERSION: '8'"));
}

TEST_F(DataDirectoryTest, RefusesADirectoryWithSomethingElseInIt) {
  ASSERT_TRUE(files_.CreateDirectories(path_));
  ASSERT_TRUE(files_.WriteFile(path_ + "/thesis.tex", "x"));

  const Error refused = OpenError();

  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("'thesis.tex'"));
  EXPECT_TRUE(files_.Exists(path_ + "/thesis.tex"));
}

// Founding anew would give out partition ids whose objects lie there already.
TEST_F(DataDirectoryTest, AFoundedOneWithoutItsStoreIsDamaged) {
  Found();
  ASSERT_TRUE(files_.RemoveAll(path_ + "/db"));

  EXPECT_EQ(OpenError().code(), Code::kCorruption);
}

TEST_F(DataDirectoryTest, OpeningEmptiesViewsAndKeepsPartitions) {
  {
    const auto data = Open().value();
    ASSERT_TRUE(files_.WriteFile(data->views() + "/stale", "x"));
    ASSERT_TRUE(files_.CreateDirectories(data->partition(PartitionId{12}) + "/objects"));
    ASSERT_TRUE(files_.CreateDirectories(data->partition(PartitionId{3})));
    ASSERT_TRUE(files_.CreateDirectories(path_ + "/partitions/not-a-number"));
  }

  const auto data = Open().value();

  EXPECT_THAT(files_.List(data->views()).value(), IsEmpty());
  EXPECT_THAT(data->PartitionDirectories().value(), ElementsAre(PartitionId{3}, PartitionId{12}));
  ASSERT_TRUE(data->RemovePartition(PartitionId{12}));
  EXPECT_THAT(data->PartitionDirectories().value(), ElementsAre(PartitionId{3}));
}

}  // namespace
}  // namespace quorate::cluster
