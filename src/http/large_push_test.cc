// How many large pushes are received at once, and by how slow clients: a process waits for each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>

#include "base/prng.h"
#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLargeBytes = 600 << 10;

std::string Noise(std::uint64_t seed) {
  Prng prng(seed);
  std::string text;
  while (text.size() < kLargeBytes) {
    text += std::to_string(prng.Next());
  }
  return text;
}

class LargePushTest : public ServerTest {
 protected:
  LargePushTest() {
    QUORATE_CHECK(world_.Create("a").has_value());
    options_.children_max = 1;
    options_.children_waiting_max = 0;
    StartServer();
  }

  static std::string Creation(const git::SmallPush& push, const std::string& branch) {
    return kZero + " " + push.commit.ToHex() + " refs/heads/" + branch;
  }

  // Sends a large push without its last byte.
  void SendUnfinished(RawClient& client) {
    const git::SmallPush push = git::MakeSmallPush(git::ObjectFormat::kSha1, Noise(1));
    const std::string body = PushBody({Creation(push, "first")}, "report-status", push.pack);
    client.Send(
        "POST /a/git-receive-pack HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, body.size() - 1));
    last_byte_ = body.substr(body.size() - 1);
  }
  void WaitForPlace() {
    ServeUntil([this] { return places_taken() == 1; });
  }

  // Sends a large push whose check does not end by itself, and waits until it is being checked.
  void SendEndless(RawClient& client, const std::string& more = "") {
    world_.children.RunInPlace("cat >/dev/null; echo $$ >" + pid_file() + "; exec sleep 1000");
    SendUnfinished(client);
    client.Send(last_byte_ + more);
    ServeUntil([this] { return checker() != 0; });
    EXPECT_EQ(::kill(checker(), 0), 0);
  }
  std::string pid_file() const { return folder_.path() + "/pid"; }
  pid_t checker() const {
    pid_t pid = 0;
    std::ifstream(pid_file()) >> pid;
    return pid;
  }

  double places_taken() { return metrics_.Value("quorate_git_indexers").value(); }

  std::string last_byte_;
};

TEST_F(LargePushTest, BeyondTheLimitOthersAreRefusedAndSmallOnesAreNot) {
  RawClient first(server_->port());
  SendUnfinished(first);
  WaitForPlace();
  const git::SmallPush large = git::MakeSmallPush(git::ObjectFormat::kSha1, Noise(2));
  const git::SmallPush small = git::MakeSmallPush(git::ObjectFormat::kSha1, "small");

  EXPECT_THAT(Push({Creation(large, "second")}, large.pack),
              HasSubstr("unpack too many large pushes wait already\nng refs/heads/second"));
  EXPECT_THAT(Push({Creation(small, "small")}, small.pack), HasSubstr("ok refs/heads/small"));
  first.Send(last_byte_);
  EXPECT_THAT(first.ReadToEnd(), HasSubstr("ok refs/heads/first"));

  EXPECT_EQ(places_taken(), 0);
  EXPECT_THAT(Push({Creation(large, "second")}, large.pack), HasSubstr("ok refs/heads/second"));
}

TEST_F(LargePushTest, AClientThatLeavesGivesItsPlaceBack) {
  RawClient first(server_->port());
  SendUnfinished(first);
  WaitForPlace();

  first.Close();

  ServeUntil([this] { return places_taken() == 0; });
}

TEST_F(LargePushTest, AClientThatLeavesEndsTheCheckOfItsPack) {
  RawClient client(server_->port());
  SendEndless(client);

  client.Close();

  ServeUntil([this] { return places_taken() == 0; });
  EXPECT_EQ(::kill(checker(), 0), -1);
  ServeUntil([this] {
    return metrics_.Value("quorate_pushes_total", {{"outcome", "aborted"}}).value_or(0) == 1;
  });
  EXPECT_EQ(Refs().find("refs/heads/first"), std::string::npos);
}

TEST_F(LargePushTest, AStopDoesNotWaitForTheCheckOfAPack) {
  RawClient client(server_->port());
  SendEndless(client);

  server_->Stop(std::chrono::milliseconds(1));

  EXPECT_EQ(::kill(checker(), 0), -1);
}

// Whose leaving cannot be seen.
TEST_F(LargePushTest, AStopDoesNotWaitForTheCheckOfAClientThatSentMore) {
  RawClient client(server_->port());
  SendEndless(client, "G");

  server_->Stop(std::chrono::milliseconds(1));

  EXPECT_EQ(::kill(checker(), 0), -1);
}

TEST_F(LargePushTest, AClientThatStopsIsCutOffLongBeforeTheReadTimeout) {
  options_.slow_client_grace = std::chrono::milliseconds(50);
  StartServer();
  RawClient first(server_->port());
  SendUnfinished(first);

  EXPECT_EQ(first.ReadToEnd(), "");
  ServeUntil([this] { return places_taken() == 0; });
}

}  // namespace
}  // namespace quorate::http
