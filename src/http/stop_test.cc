// That a server stops within the time it was given, though requests wait for what does not come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::StartsWith;

class StopTest : public ServerTest, public testing::WithParamInterface<cluster::LogMode> {
 protected:
  StopTest() {
    server_.reset();
    world_.Close();
    world_.options.data_directory = folder_.path() + "/again";
    world_.options.log_mode = GetParam();
    QUORATE_CHECK(world_.Open().has_value());
    StartServer();
  }

  // A push that is committed, and cannot be applied.
  void PushOntoAFullDisk() {
    ASSERT_TRUE(world_.Create("a"));
    const git::SmallPush push = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
    world_.disk.Fill("/incoming/");
    EXPECT_EQ(Push({kZero + " " + push.commit.ToHex() + " refs/heads/main"}, push.pack),
              "unpack ok\nok refs/heads/main\nflush\n");
  }

  // Whoever reads now must see it, and waits.
  static void AskForRefs(RawClient& client) {
    client.Send(
        "GET /a.git/info/refs?service=git-receive-pack HTTP/1.1\r\nHost: h\r\n"
        "Connection: close\r\n\r\n");
  }
};

TEST_P(StopTest, AReaderBehindAFullDiskIsAnswered) {
  PushOntoAFullDisk();
  RawClient client(server_->port());
  AskForRefs(client);
  ServeUntil([this] {  // The table, this very call, and the reader.
    return world_.node->FindOpenRepository("a").use_count() > 2;
  });

  server_->Stop(std::chrono::milliseconds(1));

  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(logger_.Count("requests still wait"), 1);
}

TEST_P(StopTest, WhoWaitsForARepositoryThatCannotOpenIsAnswered) {
  PushOntoAFullDisk();
  server_.reset();
  world_.Close();
  world_.disk.Free();
  ASSERT_TRUE(world_.Open());
  world_.disk.Fill("/incoming/");
  StartServer();
  const int stalls = world_.logger.Count("cannot apply: the disk is full");
  RawClient client(server_->port());
  AskForRefs(client);
  ServeUntil([&] { return world_.logger.Count("cannot apply: the disk is full") > stalls; });

  server_->Stop(std::chrono::milliseconds(1));

  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 503"));
  world_.Close();
}

// Nobody waits: nothing is given up.
TEST_P(StopTest, AStopWithoutRequestsGivesUpNothing) {
  ASSERT_TRUE(world_.Create("a"));

  server_->Stop(std::chrono::minutes(10));

  EXPECT_TRUE(cluster::World::Write(**world_.Find("a"), "k", "v"));
  EXPECT_EQ(logger_.Count("requests still wait"), 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, StopTest,
                         testing::Values(cluster::LogMode::kRaft, cluster::LogMode::kLocal),
                         [](const auto& tested) {
                           return tested.param == cluster::LogMode::kRaft ? "Raft" : "Local";
                         });

}  // namespace
}  // namespace quorate::http
