#include "git/http_path.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace quorate::git {
namespace {

std::string Parse(std::string_view target) {
  const auto parsed = ParseGitTarget(target);
  if (const auto* refusal = std::get_if<TargetRefusal>(&parsed)) {
    switch (refusal->kind) {
      case TargetRefusal::Kind::kMalformed:
        return "400";
      case TargetRefusal::Kind::kForbidden:
        return "403";
      case TargetRefusal::Kind::kNotFound:
        return "404";
    }
  }
  const GitTarget& found = std::get<GitTarget>(parsed);
  const bool info = found.endpoint == GitTarget::Endpoint::kInfoRefs;
  return found.repository + (info ? " info " : " ") + std::string(ServiceName(found.service));
}

TEST(HttpPathTest, EndpointsAreFoundWithAndWithoutSuffix) {
  EXPECT_EQ(Parse("/a.git/info/refs?service=git-upload-pack"), "a info git-upload-pack");
  EXPECT_EQ(Parse("/a/info/refs?service=git-receive-pack"), "a info git-receive-pack");
  EXPECT_EQ(Parse("/a/info/refs?x=y&service=git-upload-pack&z"), "a info git-upload-pack");
  EXPECT_EQ(Parse("/group/sub/a.git/git-upload-pack"), "group/sub/a git-upload-pack");
  EXPECT_EQ(Parse("/group/a/git-receive-pack"), "group/a git-receive-pack");
  EXPECT_EQ(Parse("/.github.git/git-receive-pack"), ".github git-receive-pack");
  EXPECT_EQ(Parse("/info/refs/info/refs?service=git-upload-pack"),
            "info/refs info git-upload-pack");
}

TEST(HttpPathTest, EscapesAreDecodedExactlyOnce) {
  EXPECT_EQ(Parse("/my%20repo.git/git-upload-pack"), "my repo git-upload-pack");
  EXPECT_EQ(Parse("/%c3%a4/git-upload-pack"), "\xc3\xa4 git-upload-pack");
  EXPECT_EQ(Parse("/a/info%2frefs?service=git-upload-pack"), "400");
  EXPECT_EQ(Parse("/%252e%252e/git-upload-pack"), "400");  // Never seen as "%2e%2e".
}

TEST(HttpPathTest, TraversalIsRefusedInEveryDisguise) {
  for (const std::string_view path :
       {"/../a", "/a/../b", "/a/..", "/./a", "/a/.", "/%2e%2e/a", "/a/%2E%2e/b", "/a/.%2e/b",
        "/a%2f..%2fb", "/a\\..\\b", "/a%5c..%5cb", "/a%00b", "//a", "/a//b", "/a/", "/%2e/a"}) {
    EXPECT_EQ(Parse(std::string(path) + "/git-upload-pack"), "400") << path;
  }
}

TEST(HttpPathTest, WhatIsNoPathOrNameIsRefused) {
  for (const std::string_view path :
       {"a",     "http://x/a", "/a%",     "/a%2",       "/a%zz",      "/a%0a",  "/a\x01",
        "/a%7f", "/%ff",       "/%c0%af", "/%ed%a0%80", "/a%3fb",     "/a%23b", "/a*",
        "/ a",   "/a ",        "/.git",   "/a.git/b",   "/a.git.git", "/a.lock"}) {
    EXPECT_EQ(Parse(std::string(path) + "/git-upload-pack"), "400") << path;
  }
  EXPECT_EQ(Parse("/" + std::string(255, 'a') + "/git-upload-pack").substr(0, 3), "aaa");
  EXPECT_EQ(Parse("/" + std::string(256, 'a') + "/git-upload-pack"), "400");
  EXPECT_EQ(Parse("/" + std::string(5000, '/') + "/git-upload-pack"), "400");
}

TEST(HttpPathTest, DumbProtocolAndUnknownServicesAreRefusedCleanly) {
  EXPECT_EQ(Parse("/a.git/info/refs"), "403");
  EXPECT_EQ(Parse("/a.git/info/refs?service="), "403");
  EXPECT_EQ(Parse("/a.git/info/refs?service=git-upload-archive"), "403");
  EXPECT_EQ(Parse("/a.git/HEAD"), "404");
  EXPECT_EQ(Parse("/a.git/objects/info/packs"), "404");
  EXPECT_EQ(Parse("/a.git/git-upload-archive"), "404");
  EXPECT_EQ(Parse("/a.git"), "404");
  EXPECT_EQ(Parse("/"), "404");
  EXPECT_EQ(Parse("/info/refs?service=git-upload-pack"), "404");
  EXPECT_EQ(Parse("/git-upload-pack"), "404");
}

TEST(HttpPathTest, GitProtocolHeaderKnowsVersionsAndIgnoresTheRest) {
  EXPECT_EQ(ParseGitProtocol(""), ProtocolVersion::kV0);
  EXPECT_EQ(ParseGitProtocol("version=0"), ProtocolVersion::kV0);
  EXPECT_EQ(ParseGitProtocol("version=1"), ProtocolVersion::kV1);
  EXPECT_EQ(ParseGitProtocol("version=2"), ProtocolVersion::kV2);
  EXPECT_EQ(ParseGitProtocol("version=3"), ProtocolVersion::kV0);
  EXPECT_EQ(ParseGitProtocol("version=22"), ProtocolVersion::kV0);
  EXPECT_EQ(ParseGitProtocol("x:version=2:y=z"), ProtocolVersion::kV2);
  EXPECT_EQ(ParseGitProtocol("version=2:version=1"), ProtocolVersion::kV2);
  EXPECT_EQ(ParseGitProtocol("::"), ProtocolVersion::kV0);
}

}  // namespace
}  // namespace quorate::git
