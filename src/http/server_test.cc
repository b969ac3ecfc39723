// The whole server on a real node, spoken to byte by byte. Stock git against it is test/e2e's
// affair.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(ServerTest, HealthIsTold) {
  EXPECT_EQ(Status(Request("GET", "/livez")), "200");
  EXPECT_EQ(Status(Request("GET", "/readyz")), "200");
  const std::string metrics = Request("GET", "/metrics");
  EXPECT_EQ(Status(metrics), "200");
  EXPECT_THAT(Body(metrics), HasSubstr("quorate_http_requests_total"));
}

TEST_F(ServerTest, WhatIsNotServedIsRefusedCleanly) {
  ASSERT_TRUE(world_.Create("a"));
  const std::string upload = "Content-Type: application/x-git-upload-pack-request\r\n";
  struct Row {
    const char* method;
    const char* target;
    std::string headers;
    const char* status;
  };
  const Row rows[] = {
      {"GET", "/a.git/info/refs", "", "403"},
      {"GET", "/a.git/info/refs?service=git-archive", "", "403"},
      {"GET", "/a.git/HEAD", "", "404"},
      {"GET", "/a.git/objects/info/packs", "", "404"},
      {"GET", "/b.git/info/refs?service=git-upload-pack", "", "404"},
      {"GET", "/b.git/info/refs?service=git-receive-pack", "", "404"},
      {"POST", "/b.git/git-receive-pack",
       "Content-Type: application/x-git-receive-pack-request\r\n", "404"},
      {"HEAD", "/a.git/info/refs?service=git-upload-pack", "", "405"},
      {"POST", "/a.git/info/refs?service=git-upload-pack", "", "405"},
      {"OPTIONS", "/a.git/info/refs?service=git-upload-pack", "", "405"},
      {"OPTIONS", "*", "", "400"},
      {"GET", "/a.git/git-upload-pack", "", "405"},
      {"PATCH", "/readyz", "", "405"},
      {"PUT", "/api/v1/repositories", "", "405"},
      {"POST", "/a.git/git-upload-pack", "Content-Type: text/plain\r\n", "415"},
      {"POST", "/a.git/git-receive-pack", upload, "415"},
      {"POST", "/a.git/git-upload-pack", upload + "Content-Encoding: br\r\n", "415"},
      {"GET", "/api/v2/anything", "", "404"},
      {"GET", "/%zz/info/refs?service=git-upload-pack", "", "400"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Status(Request(row.method, row.target, row.headers)), row.status)
        << row.method << " " << row.target;
  }
  EXPECT_THAT(Request("GET", "/a.git/git-upload-pack"), HasSubstr("Allow: POST\r\n"));
}

TEST_F(ServerTest, AnEmptyRepositoryIsAdvertisedInEveryVersion) {
  ASSERT_TRUE(world_.Create("group/project"));
  const std::string url = "/group/project.git/info/refs?service=git-upload-pack";

  const std::string v0 = Request("GET", "/group/project/info/refs?service=git-upload-pack");
  const std::string v1 = Request("GET", url, "Git-Protocol: version=1\r\n");
  const std::string v2 = Request("GET", url, "Git-Protocol: version=2\r\n");

  EXPECT_THAT(v0, HasSubstr("Content-Type: application/x-git-upload-pack-advertisement\r\n"));
  EXPECT_THAT(v0, HasSubstr("Cache-Control: no-cache, max-age=0, must-revalidate\r\n"));
  EXPECT_THAT(ShowPackets(Body(v0)),
              StartsWith("# service=git-upload-pack\nflush\n" + kZero + " capabilities^{}"));
  EXPECT_THAT(ShowPackets(Body(v1)), HasSubstr("version 1\n"));
  EXPECT_THAT(ShowPackets(Body(v2)), HasSubstr("version 2\n"));
}

TEST_F(ServerTest, TheProbeBeforeALargePushIsAnsweredWithNothing) {
  ASSERT_TRUE(world_.Create("a"));

  const std::string response =
      Request("POST", "/a.git/git-receive-pack",
              "Content-Type: application/x-git-receive-pack-request\r\n", "0000");

  EXPECT_EQ(Status(response), "200");
  EXPECT_THAT(response, HasSubstr("Content-Type: application/x-git-receive-pack-result\r\n"));
  EXPECT_EQ(Body(response), "");
}

TEST_F(ServerTest, APushIsCommittedReportedAndSeenByTheNextRead) {
  ASSERT_TRUE(world_.Create("a"));
  const git::SmallPush push = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const std::string id = push.commit.ToHex();

  EXPECT_EQ(Push({kZero + " " + id + " refs/heads/main"}, push.pack),
            "unpack ok\nok refs/heads/main\nflush\n");

  EXPECT_THAT(Refs(), HasSubstr(id + " refs/heads/main"));
  std::string ls_refs;
  git::AppendPacket(ls_refs, "command=ls-refs\n");
  git::AppendDelimiter(ls_refs);
  git::AppendPacket(ls_refs, "symrefs\n");
  git::AppendFlush(ls_refs);
  const std::string listed = Request("POST", "/a.git/git-upload-pack",
                                     "Content-Type: application/x-git-upload-pack-request\r\n"
                                     "Git-Protocol: version=2\r\n",
                                     ls_refs);
  EXPECT_EQ(ShowPackets(Body(listed)),
            id + " HEAD symref-target:refs/heads/main\n" + id + " refs/heads/main\nflush\n");
  EXPECT_THAT(Json("GET", "/api/v1/repositories/a/log?ref=refs/heads/main"),
              HasSubstr(R"("ref":"refs/heads/main","old":null,"new":")" + id + "\""));
  EXPECT_EQ(metrics_.Value("quorate_pushes_total", {{"outcome", "committed"}}), 1);
}

// A prefix is whatever bytes the client sends; one must not pass for several in the shared cache.
TEST_F(ServerTest, AnOddPrefixDoesNotChangeWhatOthersAreTold) {
  ASSERT_TRUE(world_.Create("a"));
  const auto ask = [this](const std::vector<std::string>& prefixes) {
    std::string body;
    git::AppendPacket(body, "command=ls-refs\n");
    git::AppendDelimiter(body);
    git::AppendPacket(body, "symrefs\n");
    git::AppendPacket(body, "unborn\n");
    for (const std::string& prefix : prefixes) {
      git::AppendPacket(body, "ref-prefix " + prefix + "\n");
    }
    git::AppendFlush(body);
    return ShowPackets(Body(Request("POST", "/a.git/git-upload-pack",
                                    "Content-Type: application/x-git-upload-pack-request\r\n"
                                    "Git-Protocol: version=2\r\n",
                                    body)));
  };

  EXPECT_EQ(ask({"HEAD\nrefs/heads/"}), "flush\n");

  EXPECT_THAT(ask({"HEAD", "refs/heads/"}), HasSubstr("unborn HEAD"));
}

TEST_F(ServerTest, AnnotatedTagsArePeeledForReaders) {
  ASSERT_TRUE(world_.Create("a"));
  git::PackBuilder pack;
  const git::ObjectId blob = pack.Blob("text");
  const git::ObjectId tree = pack.Tree({{"100644", "file", blob}});
  const git::ObjectId commit = pack.Commit({.tree = tree, .parents = {}});
  const git::ObjectId tag = pack.Tag({.target = commit});

  Push({kZero + " " + tag.ToHex() + " refs/tags/v1"}, pack.Finish());

  EXPECT_THAT(ShowPackets(Body(Request("GET", "/a.git/info/refs?service=git-upload-pack"))),
              HasSubstr(commit.ToHex() + " refs/tags/v1^{}\n"));
}

TEST_F(ServerTest, AStalePushIsRefusedAndSaysWhatItFound) {
  ASSERT_TRUE(world_.Create("a"));
  const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const git::SmallPush two = git::MakeSmallPush(git::ObjectFormat::kSha1, "two");
  Push({kZero + " " + one.commit.ToHex() + " refs/heads/main"}, one.pack);

  const std::string again = Push({kZero + " " + two.commit.ToHex() + " refs/heads/main"}, two.pack);
  const std::string stale =
      Push({two.commit.ToHex() + " " + one.commit.ToHex() + " refs/heads/main"}, one.pack);

  EXPECT_EQ(again,
            "unpack ok\nng refs/heads/main reference already exists\nflush\n"
            "error: cannot lock ref 'refs/heads/main': reference already exists\n");
  EXPECT_EQ(stale,
            "unpack ok\nng refs/heads/main failed to update ref\nflush\n"
            "error: cannot lock ref 'refs/heads/main': is at " +
                one.commit.ToHex() + " but expected " + two.commit.ToHex() + "\n");
  EXPECT_THAT(Refs(), HasSubstr(one.commit.ToHex() + " refs/heads/main"));
}

TEST_F(ServerTest, WithoutAtomicTheOthersAreDoneAndWithItNone) {
  ASSERT_TRUE(world_.Create("a"));
  const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const std::string id = one.commit.ToHex();
  Push({kZero + " " + id + " refs/heads/main"}, one.pack);

  EXPECT_THAT(Push({kZero + " " + id + " refs/heads/new", kZero + " " + id + " refs/heads/main"},
                   one.pack, "report-status side-band-64k quiet atomic"),
              StartsWith("unpack ok\nng refs/heads/new atomic push failure\n"
                         "ng refs/heads/main reference already exists\nflush\n"));
  EXPECT_THAT(Refs(), Not(HasSubstr("refs/heads/new")));

  EXPECT_THAT(
      Push({kZero + " " + id + " refs/heads/new", kZero + " " + id + " refs/heads/main"}, one.pack),
      StartsWith("unpack ok\nok refs/heads/new\n"
                 "ng refs/heads/main reference already exists\nflush\n"));
  EXPECT_THAT(Refs(), HasSubstr("refs/heads/new"));
}

TEST_F(ServerTest, DeletionsNeedNoPackAndSpareTheCurrentBranch) {
  ASSERT_TRUE(world_.Create("a"));
  const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const std::string id = one.commit.ToHex();
  Push({kZero + " " + id + " refs/heads/main", kZero + " " + id + " refs/heads/old"}, one.pack);

  const std::string report =
      Push({id + " " + kZero + " refs/heads/main", id + " " + kZero + " refs/heads/old",
            id + " " + kZero + " refs/heads/never"},
           "");

  EXPECT_EQ(report,
            "unpack ok\nng refs/heads/main deletion of the current branch prohibited\n"
            "ok refs/heads/old\nok refs/heads/never\nflush\n"
            "error: refusing to delete the current branch: refs/heads/main\n"
            "warning: Deleting a non-existent ref.\n");
  EXPECT_THAT(Refs(), Not(HasSubstr("refs/heads/old")));
}

TEST_F(ServerTest, EachCommandIsJudgedByItself) {
  ASSERT_TRUE(world_.Create("a"));
  const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const std::string id = one.commit.ToHex();

  const std::string report = Push(
      {kZero + " " + id + " refs/heads/a..b", kZero + " " + id + " HEAD",
       kZero + " " + id + " refs/quorate/x", kZero + " " + one.blob.ToHex() + " refs/heads/blob",
       kZero + " " + std::string(40, '7') + " refs/heads/nothing",
       kZero + " " + one.blob.ToHex() + " refs/tags/blob",
       kZero + " " + one.tree.ToHex() + " refs/tags/tree"},
      one.pack);

  EXPECT_THAT(report, StartsWith("unpack ok\n"
                                 "ng refs/heads/a..b funny refname\n"
                                 "ng HEAD funny refname\n"
                                 "ng refs/quorate/x deny updating a hidden ref\n"
                                 "ng refs/heads/blob failed to update ref\n"
                                 "ng refs/heads/nothing missing necessary objects\n"
                                 "ok refs/tags/blob\n"
                                 "ok refs/tags/tree\nflush\n"));
}

TEST_F(ServerTest, APackThatIsNotOneOrIsIncompleteChangesNothing) {
  ASSERT_TRUE(world_.Create("a"));
  git::PackBuilder open;
  const git::ObjectId commit =
      open.Commit({.tree = *git::ObjectId::FromHex(git::ObjectFormat::kSha1, std::string(40, '3')),
                   .parents = {}});
  const std::string command = kZero + " " + commit.ToHex() + " refs/heads/main";

  EXPECT_THAT(Push({command}, "not a pack at all, not even a little"),
              testing::ContainsRegex("^unpack [^o].*\nng refs/heads/main unpacker error\n"));
  EXPECT_THAT(Push({command}, open.Finish()),
              testing::ContainsRegex("^unpack [^o].*\nng refs/heads/main unpacker error\n"));
  EXPECT_THAT(Push({command}, ""),
              testing::ContainsRegex("^unpack [^o].*\nng refs/heads/main unpacker error\n"));

  EXPECT_THAT(Refs(), HasSubstr(kZero + " capabilities^{}"));
}

TEST_F(ServerTest, AClientThatLeavesWithinItsPackLeavesNothing) {
  ASSERT_TRUE(world_.Create("a"));
  const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const std::string body =
      PushBody({kZero + " " + one.commit.ToHex() + " refs/heads/main"}, "report-status", one.pack);
  {
    RawClient client(server_->port());
    client.Send(
        "POST /a/git-receive-pack HTTP/1.1\r\nHost: h\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, body.size() - 1));
  }
  // Other requests are served while it notices.
  const auto aborted = [this] {
    return metrics_.Value("quorate_pushes_total", {{"outcome", "aborted"}}).value_or(0);
  };
  for (int i = 0; i < 5000 && aborted() == 0; ++i) {
    Request("GET", "/livez");
  }

  EXPECT_EQ(aborted(), 1);
  const auto repository = world_.Find("a").value();
  const auto snapshot = repository->transactions().LocalSnapshot().value();
  EXPECT_EQ(snapshot.FindRef(repository->id(), "refs/heads/main").value(), std::nullopt);
}

TEST_F(ServerTest, AFirstPushCreatesItsRepositoryIfThatIsAllowed) {
  options_.create_on_push = true;
  StartServer();
  const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");

  EXPECT_THAT(Refs(), HasSubstr(kZero + " capabilities^{}"));
  EXPECT_EQ(Json("GET", "/api/v1/repositories"), "200 {\"repositories\":[]}\n");
  EXPECT_THAT(Push({kZero + " " + one.commit.ToHex() + " refs/heads/main"}, one.pack),
              StartsWith("unpack ok\nok refs/heads/main\n"));

  EXPECT_THAT(Refs(), HasSubstr(one.commit.ToHex() + " refs/heads/main"));
  EXPECT_EQ(Status(Request("GET", "/api/x.git/info/refs?service=git-receive-pack")), "404");
}

TEST_F(ServerTest, ADifferentObjectFormatIsRefused) {
  ASSERT_TRUE(world_.Create("a"));

  const std::string response = Request(
      "POST", "/a.git/git-receive-pack", "Content-Type: application/x-git-receive-pack-request\r\n",
      PushBody({kZero + " " + std::string(40, '1') + " refs/heads/main"},
               "report-status object-format=sha256", ""));

  EXPECT_EQ(Status(response), "400");
}

TEST_F(ServerTest, RepositoriesAreAdministered) {
  EXPECT_EQ(Json("POST", "/api/v1/repositories",
                 R"({"name":"g/p","object_format":"sha256","default_branch":"trunk"})")
                .substr(0, 21),
            R"(201 {"name":"g/p","pa)");
  EXPECT_THAT(Json("GET", "/api/v1/repositories/g/p"),
              HasSubstr(R"("object_format":"sha256","head":"ref: refs/heads/trunk")"));
  EXPECT_THAT(Json("GET", "/api/v1/repositories/g%2Fp"), StartsWith("200"));
  EXPECT_THAT(Json("GET", "/api/v1/repositories"), HasSubstr(R"([{"name":"g/p")"));
  EXPECT_THAT(Json("GET", "/api/v1/cluster"),
              HasSubstr("{\"nodes\":[{\"id\":1,\"http\":\"127.0.0.1:" +
                        std::to_string(server_->port()) + "\""));
  EXPECT_THAT(Json("POST", "/api/v1/repositories", R"({"name":"g/p"})"),
              StartsWith(R"(409 {"error":{"code":"already_exists")"));

  EXPECT_EQ(Json("DELETE", "/api/v1/repositories/g/p"), "200 {\"deleted\":\"g/p\"}\n");
  EXPECT_THAT(Json("GET", "/api/v1/repositories/g/p"),
              StartsWith(R"(404 {"error":{"code":"not_found")"));
}

TEST_F(ServerTest, ADamagedRepositoryIsRefusedAndToldToOperators) {
  const PartitionId damaged = world_.Create("a").value()->partition();
  ASSERT_TRUE(world_.Create("b"));
  server_.reset();
  world_.Close();
  ASSERT_TRUE(world_.DamageNewestEntry(damaged));
  ASSERT_TRUE(world_.Open());
  StartServer();

  EXPECT_EQ(Status(Request("GET", "/a.git/info/refs?service=git-upload-pack")), "503");
  EXPECT_EQ(Status(Request("GET", "/b.git/info/refs?service=git-upload-pack")), "200");
  const std::string told = Json("GET", "/api/v1/cluster");
  EXPECT_THAT(told, HasSubstr(R"("fenced":true,"repositories":["a"])"));
  EXPECT_THAT(told, HasSubstr(R"("fenced":false,"repositories":["b"])"));
}

TEST_F(ServerTest, NonsenseForTheAdminApiIsExplained) {
  EXPECT_THAT(Json("POST", "/api/v1/repositories", "{"), StartsWith("400"));
  EXPECT_THAT(Json("POST", "/api/v1/repositories", R"({"name":7})"), StartsWith("400"));
  EXPECT_THAT(Json("POST", "/api/v1/repositories", R"({"name":"a","colour":"red"})"),
              HasSubstr("unknown member"));
  EXPECT_THAT(Json("POST", "/api/v1/repositories", R"({"name":"api/a"})"), StartsWith("400"));
  EXPECT_THAT(Json("POST", "/api/v1/repositories", R"({"name":"../a"})"), StartsWith("400"));
  EXPECT_THAT(Json("POST", "/api/v1/repositories", std::string(100'000, ' ')), StartsWith("413"));
  EXPECT_EQ(Status(Request("POST", "/api/v1/repositories", "", R"({"name":"a"})")), "415");
  ASSERT_TRUE(world_.Create("a"));
  EXPECT_THAT(Json("GET", "/api/v1/repositories/a/log?limit=0"), StartsWith("400"));
  EXPECT_THAT(Json("GET", "/api/v1/repositories/a/log?limit=1x"), StartsWith("400"));
}

}  // namespace
}  // namespace quorate::http
