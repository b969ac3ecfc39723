// Fetches that go wrong: what a client is told, and what is left of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// The text of a response in chunks that hold one packet.
std::string FirstError(const std::string& response) {
  const std::size_t at = response.find("ERR ");
  return at == std::string::npos ? response : response.substr(at, response.find('\r', at) - at);
}

class FetchFailureTest : public ServerTest {
 protected:
  FetchFailureTest() {
    QUORATE_CHECK(world_.Create("a").has_value());
    const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
    commit_ = one.commit.ToHex();
    Push({kZero + " " + commit_ + " refs/heads/main"}, one.pack);
  }

  std::string commit_;
  // Answered by a process, whatever that is.
  std::string AnyFetch() const {
    return Packets({"want " + commit_ + "\n"}) + Packets({"done\n"}, false);
  }
};

TEST_F(FetchFailureTest, GitSaysWhatIsWrongWithARequest) {
  const std::string want = "want " + commit_;
  const std::string done = Packets({"done\n"}, false);
  struct Row {
    std::string headers;
    std::string body;
    std::string error;
  };
  const Row rows[] = {
      {"", Packets({"want zzz"}) + done,
       "ERR upload-pack: protocol error, expected to get object ID, not 'want zzz'"},
      {"", Packets({"want " + std::string(40, '1')}) + done,
       "ERR upload-pack: not our ref " + std::string(40, '1')},
      {"", Packets({want}) + Packets({"have zz"}, false) + done,
       "ERR upload-pack: expected SHA1 object, got 'zz'"},
      {"", Packets({want, "deepen x"}), "ERR upload-pack: Invalid deepen: deepen x"},
      {"", Packets({want}, false) + "00", "ERR upload-pack: the request ends too early"},
      {"", Packets({want + " object-format=sha256"}) + done,
       "ERR mismatched object format: server sha1; client sha256"},
      {kV2, V2Fetch({"want zzz", "done"}),
       "ERR upload-pack: protocol error, expected to get oid, not 'want zzz'"},
      {kV2, V2Fetch({"want " + std::string(40, '1'), "done"}),
       "ERR upload-pack: not our ref " + std::string(40, '1')},
      {kV2, V2Fetch({"hello"}), "ERR upload-pack: unexpected line: 'hello'"},
      {kV2, V2Fetch({want, "filter foo", "done"}), "ERR upload-pack: invalid filter-spec 'foo'"},
      {kV2, Packets({"command=push"}), "ERR invalid command 'push'"},
  };
  for (const Row& row : rows) {
    const std::string response = Fetch(row.body, row.headers);
    EXPECT_EQ(Status(response), "200") << row.body;
    EXPECT_EQ(FirstError(response), row.error) << row.body;
  }
}

TEST_F(FetchFailureTest, WhatIsAboutOurFilesIsNotToldToClients) {
  children_.RunInPlace("echo \"fatal: no $GIT_OBJECT_DIRECTORY\" >&2; exit 128");

  EXPECT_EQ(FirstError(Fetch(AnyFetch())), "ERR upload-pack: failed on the server");
  EXPECT_EQ(logger_.Count("partitions"), 1);
}

TEST_F(FetchFailureTest, AProcessThatIsKilledBeforeItAnswersCanBeAskedAgain) {
  children_.RunInPlace("kill -9 $$");

  const std::string response = Fetch(AnyFetch());

  EXPECT_EQ(Status(response), "503");
  EXPECT_THAT(response, HasSubstr("Retry-After: "));
}

TEST_F(FetchFailureTest, AProcessThatIsKilledBeforeThePackLeavesAnError) {
  children_.RunInPlace("printf '0008NAK\\n'; kill -9 $$");

  const std::string response = Fetch(AnyFetch());

  EXPECT_THAT(response, HasSubstr("0008NAK\n"));
  EXPECT_EQ(FirstError(response), "ERR upload-pack: failed on the server");
  EXPECT_THAT(response, EndsWith("\r\n0\r\n\r\n"));
}

TEST_F(FetchFailureTest, AnAnswerThatBreaksOffWithinThePackIsNotFinished) {
  children_.RunInPlace("printf '0008NAK\\n0006\\001P'; kill -9 $$");

  const std::string response = Fetch(AnyFetch());

  EXPECT_THAT(response, HasSubstr("0006\001P"));
  EXPECT_THAT(response, Not(EndsWith("0\r\n\r\n")));
}

TEST_F(FetchFailureTest, BeyondTheLimitOfProcessesClientsAreTurnedAwayAndADeadClientFreesItsPlace) {
  options_.children_max = 1;
  options_.children_waiting_max = 0;
  StartServer();
  children_.RunInPlace("printf '0008NAK\\n'; exec sleep 1000");
  RawClient first(server_->port());
  const std::string body = AnyFetch();
  first.Send(
      "POST /a/git-upload-pack HTTP/1.1\r\nHost: h\r\nContent-Type: "
      "application/x-git-upload-pack-request\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_THAT(first.ReadUntil("NAK"), HasSubstr("NAK"));

  const std::string second = Fetch(AnyFetch());
  first.Close();

  EXPECT_EQ(Status(second), "503");
  EXPECT_THAT(second, HasSubstr("Retry-After: "));
  ServeUntil([this] { return metrics_.Value("quorate_git_children") == 0; });
}

TEST_F(FetchFailureTest, ANegotiationBeyondTheLimitIsCutOffThoughAProcessReadsIt) {
  options_.negotiation_bytes_max = 1 << 20;
  StartServer();
  std::vector<std::string> arguments(60'000, "have " + std::string(40, '1') + "\n");
  const std::string bomb = Gzip(V2Fetch(arguments));
  ASSERT_LT(bomb.size(), 100'000U);

  const std::string response = Fetch(bomb, kV2 + "Content-Encoding: gzip\r\n");

  EXPECT_EQ(Status(response), "413");
  EXPECT_THAT(Body(response), HasSubstr("larger than 1048576 bytes"));
}

TEST_F(FetchFailureTest, ABrokenBodyIsABadRequestAndAWholeOneInMembersIsNot) {
  const std::string body = V2Fetch({"want " + commit_ + "\n", "done\n"});
  const std::string members = Gzip(body.substr(0, 30)) + Gzip(body.substr(30));

  for (const char* coding : {"gzip", "x-gzip"}) {
    const std::string headers = kV2 + "Content-Encoding: " + coding + "\r\n";
    EXPECT_EQ(Status(Fetch(members.substr(0, members.size() - 3), headers)), "400");
    EXPECT_EQ(Status(Fetch("no gzip", headers)), "400");
    EXPECT_THAT(Fetch(members, headers), HasSubstr("packfile"));
  }
}

}  // namespace
}  // namespace quorate::http
