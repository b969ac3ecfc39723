// Pushes that go wrong or take long: what a client is told, and what is left of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <string>

#include "base/fault_point.h"
#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Holds up the strand of a partition until it is released.
class HeldStrand {
 public:
  explicit HeldStrand(txn::TransactionManager& transactions) {
    transactions.Commit(transactions.Begin({}).value(), [this](Result<txn::CommitOutcome>) {
      reached_.set_value();
      released_.get_future().wait();
    });
    reached_.get_future().wait();
  }
  void Release() { released_.set_value(); }

 private:
  std::promise<void> reached_;
  std::promise<void> released_;
};

class PushFailureTest : public ServerTest {
 protected:
  PushFailureTest() { QUORATE_CHECK(world_.Create("a").has_value()); }
  ~PushFailureTest() override { QUORATE_CHECK(ArmFaultPoints("").has_value()); }

  // Sends a push whose body has `size` bytes, or says that it has.
  static void Send(RawClient& client, const std::string& body, std::size_t size) {
    client.Send(
        "POST /a/git-receive-pack HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: " +
        std::to_string(size) + "\r\n\r\n" + body);
  }
  // Quarantines and staged packs on disk.
  std::size_t Leftovers() const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             folder_.path() + "/data/partitions",
             std::filesystem::directory_options::skip_permission_denied)) {
      const std::string parent = entry.path().parent_path().filename().string();
      found += parent == "incoming" || parent == "staged" ? 1 : 0;
    }
    return found;
  }

  const git::SmallPush one_ = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
  const std::string create_ = kZero + " " + one_.commit.ToHex() + " refs/heads/main";
};

TEST_F(PushFailureTest, EmptyPacketsFlowWhileAPushIsWorkedOn) {
  options_.keepalive_period = std::chrono::milliseconds(2);
  StartServer();
  const std::string body = PushBody({create_}, "report-status side-band-64k quiet", one_.pack);
  RawClient client(server_->port());
  pool_.Hold();

  Send(client, body, body.size());
  const std::string first = client.ReadUntil("\r\n5\r\n0005\2\r\n");
  const std::string second = client.ReadUntil("5\r\n0005\2\r\n");
  pool_.Release();
  const std::string rest = client.ReadToEnd();

  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(second, "5\r\n0005\2\r\n");
  EXPECT_THAT(rest, HasSubstr("ok refs/heads/main"));
  EXPECT_THAT(rest, EndsWith("\r\n0\r\n\r\n"));
}

TEST_F(PushFailureTest, ARefusalAfterTheFirstEmptyPacketIsAReport) {
  options_.keepalive_period = std::chrono::milliseconds(2);
  StartServer();
  const std::string body = PushBody({create_}, "report-status side-band-64k quiet", "no pack");
  RawClient client(server_->port());
  pool_.Hold();

  Send(client, body, body.size());
  client.ReadUntil("0005\2\r\n");
  pool_.Release();

  EXPECT_THAT(client.ReadToEnd(), HasSubstr("ng refs/heads/main unpacker error"));
}

TEST_F(PushFailureTest, ProgressIsShownUnlessTheClientWantsQuiet) {
  const std::string progress = "Unpacking objects: 100% (3/3), done.\n";
  const git::SmallPush two = git::MakeSmallPush(git::ObjectFormat::kSha1, "two");

  EXPECT_THAT(Push({create_}, one_.pack, "report-status side-band-64k"), HasSubstr(progress));
  EXPECT_THAT(Push({kZero + " " + two.commit.ToHex() + " refs/heads/two"}, two.pack),
              Not(HasSubstr("objects")));
}

TEST_F(PushFailureTest, AnUnknownOutcomeIsToldOnBandThreeWithTheTransaction) {
  ASSERT_TRUE(ArmFaultPoints("http.after_commit_before_report=fail"));

  const std::string response = Request(
      "POST", "/a.git/git-receive-pack", "Content-Type: application/x-git-receive-pack-request\r\n",
      PushBody({create_}, "report-status side-band-64k quiet", one_.pack));

  const std::string said = BandText(Body(response), '\3');
  EXPECT_THAT(said, StartsWith("outcome unknown: "));
  EXPECT_EQ(BandText(Body(response), '\1'), "");
  const std::size_t at = said.find("transaction ");
  ASSERT_NE(at, std::string::npos) << said;
  const std::string id = said.substr(at + 12, said.find_first_of(" \n", at + 12) - at - 12);
  EXPECT_THAT(Json("GET", "/api/v1/repositories/a/log"),
              HasSubstr("\"transaction\":\"" + id + "\""));
  EXPECT_EQ(metrics_.Value("quorate_pushes_total", {{"outcome", "unknown"}}), 1);
}

TEST_F(PushFailureTest, AFullDiskRefusesPushesAndStillServesReads) {
  Push({create_}, one_.pack);
  server_.reset();
  world_.Close();
  world_.options.free_bytes_min = UINT64_MAX;
  ASSERT_TRUE(world_.Open());
  StartServer();
  const git::SmallPush two = git::MakeSmallPush(git::ObjectFormat::kSha1, "two");

  const std::string report =
      Push({one_.commit.ToHex() + " " + two.commit.ToHex() + " refs/heads/main"}, two.pack);

  EXPECT_THAT(report, testing::ContainsRegex("^unpack .*(disk|space).*\n"
                                             "ng refs/heads/main unpacker error\n"));
  EXPECT_THAT(Refs(), HasSubstr(one_.commit.ToHex() + " refs/heads/main"));
  EXPECT_EQ(Leftovers(), 0U);
}

TEST_F(PushFailureTest, AShallowClientMayPushOnWhatIsThereAndNotOnWhatIsNot) {
  const git::SmallPush missing = git::MakeSmallPush(git::ObjectFormat::kSha1, "missing");
  const auto push_onto = [this](const git::ObjectId& parent, const std::string& ref) {
    git::PackBuilder builder;
    const git::ObjectId blob = builder.Blob("onto " + ref);
    const git::ObjectId tree = builder.Tree({{"100644", "file", blob}});
    const git::ObjectId commit = builder.Commit({.tree = tree, .parents = {parent}});
    std::string body;
    git::AppendPacket(body, "shallow " + parent.ToHex());
    body += PushBody({kZero + " " + commit.ToHex() + " " + ref},
                     "report-status side-band-64k quiet", builder.Finish());
    const std::string response =
        Request("POST", "/a.git/git-receive-pack",
                "Content-Type: application/x-git-receive-pack-request\r\n", body);
    return ShowPackets(BandText(Body(response), '\1'));
  };
  Push({create_}, one_.pack);

  EXPECT_EQ(push_onto(one_.commit, "refs/heads/good"), "unpack ok\nok refs/heads/good\nflush\n");
  EXPECT_THAT(push_onto(missing.commit, "refs/heads/bad"),
              EndsWith("ng refs/heads/bad shallow update not allowed\nflush\n"));
}

TEST_F(PushFailureTest, AClientThatLeavesWithinALargePackLeavesNothing) {
  git::PackBuilder builder;
  std::string noise(2 << 20, '\0');
  std::uint32_t state = 1;
  for (char& byte : noise) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  builder.Blob(noise);
  const std::string body = PushBody({create_}, "report-status", builder.Finish());
  ASSERT_GT(body.size(), 1U << 20);
  {
    RawClient client(server_->port());
    Send(client, body.substr(0, body.size() - 1000), body.size());
    ServeUntil([this] { return Leftovers() > 0; });  // Its quarantine.
  }

  ServeUntil([this] { return Leftovers() == 0; });
  EXPECT_EQ(metrics_.Value("quorate_pushes_total", {{"outcome", "aborted"}}), 1);
  EXPECT_THAT(Refs(), Not(HasSubstr("refs/heads/main")));
}

// The commit waits for the partition's strand, which a callback holds up.
TEST_F(PushFailureTest, ACommitThatIsNotAdmittedIsCancelledWhenItsClientLeaves) {
  Push({create_}, one_.pack);
  ASSERT_TRUE(ArmFaultPoints("http.none=fail"));  // So that passages are counted.
  txn::TransactionManager& transactions = (*world_.Find("a"))->transactions();
  const std::string body = PushBody({one_.commit.ToHex() + " " + kZero + " refs/heads/other",
                                     kZero + " " + one_.commit.ToHex() + " refs/heads/next"},
                                    "report-status side-band-64k quiet", one_.pack);
  std::optional<HeldStrand> strand;
  {
    RawClient client(server_->port());
    pool_.Hold();
    Send(client, body, body.size());
    ServeUntil([this] { return pool_.held() > 0; });  // It checks its pack next, off the strand.
    strand.emplace(transactions);
    pool_.Release();
    ServeUntil([] { return FaultPointPassages("http.before_commit") == 1; });
  }

  ServeUntil([] { return FaultPointPassages("http.after_cancel") >= 1; });
  strand->Release();
  ServeUntil([this] {
    return metrics_.Value("quorate_pushes_total", {{"outcome", "aborted"}}) == 1;
  });
  EXPECT_THAT(Refs(), Not(HasSubstr("refs/heads/next")));
  EXPECT_EQ(Leftovers(), 0U);
}

// HEAD moves after the push was judged and before it is committed.
TEST_F(PushFailureTest, ABranchThatHeadMovesToMeanwhileIsNotDeleted) {
  const std::string id = one_.commit.ToHex();
  Push({create_, kZero + " " + id + " refs/heads/other"}, one_.pack);
  ASSERT_TRUE(ArmFaultPoints("http.none=fail"));  // So that passages are counted.
  cluster::Repository& repository = **world_.Find("a");
  const std::string body =
      PushBody({id + " " + kZero + " refs/heads/other"}, "report-status side-band-64k quiet", "");
  RawClient client(server_->port());
  pool_.Hold();
  Send(client, body, body.size());
  ServeUntil([this] { return pool_.held() > 0; });  // It is judged next, off the strand.
  HeldStrand strand(repository.transactions());
  txn::Transaction move = repository.transactions().Begin({}).value();
  txn::RefValue head;
  head.symref = "refs/heads/other";
  ASSERT_TRUE(move.StageHead(repository.id(), head));
  repository.transactions().Commit(std::move(move),
                                   [](Result<txn::CommitOutcome> done) { EXPECT_TRUE(done); });
  pool_.Release();
  ServeUntil([] { return FaultPointPassages("http.before_commit") == 1; });
  strand.Release();

  const std::string response = client.ReadToEnd();
  EXPECT_THAT(response, HasSubstr("ng refs/heads/other transaction failed"));
  EXPECT_THAT(Refs(), HasSubstr("refs/heads/other"));
  // Nobody knew the id before, so nothing is kept for whoever would ask by it.
  const std::size_t at = response.find("Quorate-Transaction: ");
  ASSERT_NE(at, std::string::npos) << response;
  EXPECT_THAT(Json("GET", "/api/v1/repositories/a/transactions/" + response.substr(at + 21, 32)),
              HasSubstr("\"state\":\"not_found\""));
}

TEST_F(PushFailureTest, AClientThatAsksFirstIsRefusedBeforeItSends) {
  RawClient client(server_->port());

  client.Send(
      "POST /nowhere/git-receive-pack HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
      "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n");

  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(PushFailureTest, TheClientsAddressIsRecordedAsTheActor) {
  Push({create_}, one_.pack);

  EXPECT_THAT(Json("GET", "/api/v1/repositories/a/log"), HasSubstr(R"("actor":"127.0.0.1")"));
}

}  // namespace
}  // namespace quorate::http
