#include "git/ref_name.h"

#include <gtest/gtest.h>

#include <string>

namespace quorate::git {
namespace {

TEST(RefNameTest, OrdinaryNamesAreValid) {
  for (const char* name : {"refs/heads/main", "refs/tags/v1.0", "refs/x", "refs/heads/a/b/c",
                           "refs/heads/@", "refs/heads/-dash", "refs/heads/lock",
                           "refs/heads/a.lock.b", "refs/heads/a.b", "refs/heads/\xc3\xa4",
                           "refs/heads/{x}", "refs/heads/a@b", "refs/heads/]", "refs/heads/HEAD"}) {
    EXPECT_TRUE(IsValidRefName(name)) << name;
  }
}

TEST(RefNameTest, WhatGitRefusesIsRefused) {
  for (const char* name : {"",
                           "HEAD",
                           "refs",
                           "refs/",
                           "/refs/heads/x",
                           "heads/main",
                           "refs//x",
                           "refs/heads/",
                           "refs/heads//x",
                           "refs/heads/.x",
                           "refs/.heads/x",
                           "refs/heads/x.lock",
                           "refs/x.lock/y",
                           "refs/heads/a..b",
                           "refs/heads/a@{b",
                           "refs/heads/a b",
                           "refs/heads/a~b",
                           "refs/heads/a^b",
                           "refs/heads/a:b",
                           "refs/heads/a?b",
                           "refs/heads/a*b",
                           "refs/heads/a[b",
                           "refs/heads/a\\b",
                           "refs/heads/a\x7f",
                           "refs/heads/a\nb",
                           "refs/heads/a\x01",
                           "refs/heads/a.",
                           "Refs/heads/a"}) {
    EXPECT_FALSE(IsValidRefName(name)) << name;
  }
  EXPECT_FALSE(IsValidRefName(std::string_view("refs/heads/a\0b", 14)));
}

TEST(RefNameTest, LengthIsBounded) {
  const std::string longest = "refs/heads/" + std::string(1024 - 11, 'x');
  EXPECT_TRUE(IsValidRefName(longest));
  EXPECT_FALSE(IsValidRefName(longest + "x"));
}

TEST(RefNameTest, ParentIsAWholeComponentPrefix) {
  EXPECT_TRUE(IsRefNameParent("refs/heads/a", "refs/heads/a/b"));
  EXPECT_TRUE(IsRefNameParent("refs/heads/a", "refs/heads/a/b/c"));
  EXPECT_FALSE(IsRefNameParent("refs/heads/a", "refs/heads/ab"));
  EXPECT_FALSE(IsRefNameParent("refs/heads/a", "refs/heads/a"));
  EXPECT_FALSE(IsRefNameParent("refs/heads/a/b", "refs/heads/a"));
}

}  // namespace
}  // namespace quorate::git
