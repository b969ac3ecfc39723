// Pushes that name their transaction: asked about, tried again, refused.
#include <gmock/gmock.h>

#include <latch>

#include "base/fault_point.h"
#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kName = "00112233445566778899aabbccddeeff";

// Occupies all threads of a pool until it is released: what is in the log does not get to the disk.
class HeldThreads {
 public:
  HeldThreads(env::StrandPool& pool, int threads) : reached_(threads) {
    for (int i = 0; i < threads; ++i) {
      pool.Post([this] {
        reached_.count_down();
        released_.wait();
      });
    }
    reached_.wait();
  }
  void Release() { released_.count_down(); }

 private:
  std::latch reached_;
  std::latch released_{1};
};

class RepeatedPushTest : public ServerTest {
 protected:
  RepeatedPushTest() { QUORATE_CHECK(world_.Create("a").has_value()); }
  ~RepeatedPushTest() override { QUORATE_CHECK(ArmFaultPoints("").has_value()); }

  // The whole response to a push whose transaction is named by the header.
  std::string Named(const std::string& command, const std::string& pack,
                    const std::string& capabilities = "report-status side-band-64k quiet") {
    return Request("POST", "/a.git/git-receive-pack",
                   "Content-Type: application/x-git-receive-pack-request\r\n"
                   "Quorate-Transaction: " +
                       std::string(kName) + "\r\n",
                   PushBody({command}, capabilities, pack));
  }
  static std::string Report(const std::string& response) {
    return Status(response) + "\n" + ShowPackets(BandText(Body(response), '\1'));
  }
  static std::string Header(const std::string& response, const std::string& name) {
    const std::size_t at = response.find(name + ": ");
    return at == std::string::npos
               ? ""
               : response.substr(at + name.size() + 2,
                                 response.find("\r\n", at) - at - name.size() - 2);
  }
  std::string Outcome(const std::string& id = kName) {
    return Json("GET", "/api/v1/repositories/a/transactions/" + id);
  }

  const git::SmallPush one_ = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const git::SmallPush two_ = git::MakeSmallPush(git::ObjectFormat::kSha1, "two");
  const std::string create_ = kZero + " " + one_.commit.ToHex() + " refs/heads/main";
  const std::string move_ = one_.commit.ToHex() + " " + two_.commit.ToHex() + " refs/heads/main";
};

TEST_F(RepeatedPushTest, ACommittedPushIsAnsweredAsBeforeAndNotDoneAgain) {
  const std::string first = Named(create_, one_.pack);
  Push({move_}, two_.pack);
  // As Git sends it now: with the value that it finds, and with the pack.
  const std::string again =
      Named(two_.commit.ToHex() + " " + one_.commit.ToHex() + " refs/heads/main", one_.pack);

  EXPECT_EQ(Report(again), "200\nunpack ok\nok refs/heads/main\nflush\n");
  EXPECT_EQ(Report(again), Report(first));
  EXPECT_NE(Header(first, "Quorate-Lsn"), "");
  EXPECT_EQ(Header(again, "Quorate-Lsn"), Header(first, "Quorate-Lsn"));
  EXPECT_EQ(Header(again, "Quorate-Transaction"), kName);
  EXPECT_THAT(Refs(), HasSubstr(two_.commit.ToHex() + " refs/heads/main"));
  EXPECT_EQ(metrics_.Value("quorate_pushes_total", {{"outcome", "repeated"}}), 1);
}

TEST_F(RepeatedPushTest, AnIdThatDidSomethingElseAnswersForNothing) {
  Named(create_, one_.pack);

  const std::string other = Named(move_, two_.pack);

  EXPECT_THAT(Report(other), StartsWith("200\nunpack ok\nng refs/heads/main the transaction"));
  EXPECT_THAT(Refs(), HasSubstr(one_.commit.ToHex() + " refs/heads/main"));
}

TEST_F(RepeatedPushTest, AfterAnUnknownOutcomeTheClientAsksOrTriesAgain) {
  ASSERT_TRUE(ArmFaultPoints("http.after_commit_before_report=fail"));
  const std::string first = Named(create_, one_.pack);
  ASSERT_TRUE(ArmFaultPoints(""));

  EXPECT_EQ(BandText(Body(first), '\2'),
            "hint: quorate repo txn a " + std::string(kName) + " tells what became of it\n");
  EXPECT_THAT(Outcome(), StartsWith("200 {\"transaction\":\"" + std::string(kName) +
                                    "\",\"state\":\"committed\",\"lsn\":"));
  EXPECT_EQ(Report(Named(create_, one_.pack)), "200\nunpack ok\nok refs/heads/main\nflush\n");
}

TEST_F(RepeatedPushTest, AFullDiskDoesNotRefuseWhatIsDoneAlready) {
  Named(create_, one_.pack);
  server_.reset();
  world_.Close();
  world_.options.free_bytes_min = UINT64_MAX;
  ASSERT_TRUE(world_.Open());
  StartServer();

  EXPECT_EQ(Report(Named(create_, one_.pack)), "200\nunpack ok\nok refs/heads/main\nflush\n");
}

TEST_F(RepeatedPushTest, WhyAPushWasAbortedIsTold) {
  EXPECT_THAT(Outcome(), HasSubstr(R"("state":"not_found","known_from":6)"));

  Named(move_, one_.pack);
  EXPECT_THAT(Outcome(), HasSubstr("\"state\":\"aborted\""));

  Named(create_, "this is no pack");
  EXPECT_THAT(Outcome(), HasSubstr("\"state\":\"aborted\",\"code\":\"invalid_argument\""));

  Named(create_, one_.pack);  // The same id may be tried again.
  EXPECT_THAT(Outcome(), HasSubstr("\"state\":\"committed\""));
}

// Its entry is in the log and cannot be written.
TEST_F(RepeatedPushTest, APushInTheLogIsNotWaitedForWhenTheClientThatNamedItLeaves) {
  const txn::TransactionManager& transactions = (*world_.Find("a"))->transactions();
  const std::string body = PushBody({create_}, "report-status side-band-64k quiet", one_.pack);
  HeldThreads disk(world_.storage, 2);
  {
    RawClient client(server_->port());
    client.Send("POST /a.git/git-receive-pack HTTP/1.1\r\nHost: h\r\nQuorate-Transaction: " +
                std::string(kName) +
                "\r\nContent-Type: application/x-git-receive-pack-request\r\n" +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    ServeUntil([&] { return transactions.status().in_flight == 1; });
  }

  ServeUntil([this] {
    return metrics_.Value("quorate_pushes_total", {{"outcome", "unknown"}}) == 1;
  });
  EXPECT_EQ(transactions.status().in_flight, 1u);
  disk.Release();

  EXPECT_EQ(Report(Named(create_, one_.pack)), "200\nunpack ok\nok refs/heads/main\nflush\n");
  EXPECT_THAT(Outcome(), HasSubstr("\"state\":\"committed\""));
}

TEST_F(RepeatedPushTest, EveryPushIsToldItsIdAndMayNameItByAPushOption) {
  const std::string response = Request(
      "POST", "/a.git/git-receive-pack", "Content-Type: application/x-git-receive-pack-request\r\n",
      PushBody({create_}, "report-status side-band-64k quiet", one_.pack));
  const std::string drawn = Header(response, "Quorate-Transaction");
  EXPECT_EQ(drawn.size(), 32U);
  EXPECT_THAT(Outcome(drawn), HasSubstr("\"state\":\"committed\""));

  std::string body;
  git::AppendPacket(body, move_ + std::string(1, '\0') + "report-status push-options");
  git::AppendFlush(body);
  git::AppendPacket(body, "transaction=" + std::string(kName));
  git::AppendFlush(body);
  Request("POST", "/a.git/git-receive-pack",
          "Content-Type: application/x-git-receive-pack-request\r\n", body + two_.pack);
  EXPECT_THAT(Outcome(), HasSubstr("\"state\":\"committed\""));
}

TEST_F(RepeatedPushTest, WhatIsNoIdIsRefused) {
  EXPECT_THAT(Outcome("zz"), StartsWith(R"(400 {"error":{"code":"invalid_argument")"));
  const std::string response = Request("POST", "/a.git/git-receive-pack",
                                       "Content-Type: application/x-git-receive-pack-request\r\n"
                                       "Quorate-Transaction: short\r\n",
                                       PushBody({create_}, "report-status", one_.pack));
  EXPECT_EQ(Status(response), "400");
  EXPECT_EQ(Json("POST", "/api/v1/repositories/a/transactions/" + std::string(kName)).substr(0, 3),
            "405");
}

}  // namespace
}  // namespace quorate::http
