#include "cluster/repository_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace quorate::cluster {
namespace {

using testing::HasSubstr;

TEST(RepositoryNameTest, AcceptsComponentsSeparatedBySingleSlashes) {
  for (const std::string name :
       {"a", "group/project", "A.b_c-d/0", "x/api", "apis", "a.gitx/b", "git/lock"}) {
    EXPECT_TRUE(CheckRepositoryName(name)) << name;
  }
  EXPECT_TRUE(CheckRepositoryName(std::string(200, 'n')));
}

TEST(RepositoryNameTest, SaysWhichRuleIsBroken) {
  const struct {
    std::string name;
    std::string why;
  } cases[] = {
      {"", "is empty"},
      {std::string(201, 'n'), "201 bytes long, 200 are allowed"},
      {"/a", "empty component"},
      {"a/", "empty component"},
      {"a//b", "empty component"},
      {"a b", "character other than"},
      {"\xc3\xa4", "character other than"},
      {std::string("a\0b", 3), "character other than"},
      {"a/../b", "begins with '.'"},
      {".hidden", "begins with '.'"},
      {"a/-rf", "begins with '-'"},
      {"a.git", "ends with '.git'"},
      {"a.GIT/b", "ends with '.git'"},
      {"a/b.lock", "ends with '.lock'"},
      {"api", "reserved"},
      {"api/x", "reserved"},
  };

  for (const auto& [name, why] : cases) {
    const Status checked = CheckRepositoryName(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(checked.error().message(), HasSubstr(why)) << name;
  }
}

}  // namespace
}  // namespace quorate::cluster
