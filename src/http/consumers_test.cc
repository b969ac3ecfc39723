// Consumers over HTTP: the requests, their errors, and waiting for changes.
#include <gmock/gmock.h>

#include <future>

#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ConsumersApiTest : public ServerTest {
 protected:
  ConsumersApiTest() { QUORATE_CHECK(world_.Create("g/a").has_value()); }

  std::string Make(const std::string& name) {
    return Json("POST", kConsumers, R"({"name":")" + name + "\"}");
  }
  std::string Changes(const std::string& query) {
    return Json("GET", "/api/v1/repositories/g/a/changes?" + query);
  }
  void PushBranch(const std::string& name) {
    Request("POST", "/g/a.git/git-receive-pack",
            "Content-Type: application/x-git-receive-pack-request\r\n",
            PushBody({kZero + " " + one_.commit.ToHex() + " refs/heads/" + name}, "report-status",
                     one_.pack));
  }
  // The number behind "name": in JSON.
  static std::string Number(const std::string& json, const std::string& name) {
    const std::size_t at = json.find("\"" + name + "\":") + name.size() + 3;
    return json.substr(at, json.find_first_of(",}", at) - at);
  }

  const std::string kConsumers = "/api/v1/repositories/g/a/consumers";
  const git::SmallPush one_ = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
};

TEST_F(ConsumersApiTest, AConsumerIsMadeReadsAcknowledgesAndGoes) {
  EXPECT_EQ(Json("GET", kConsumers), "200 {\"consumers\":[]}\n");
  EXPECT_THAT(Make("c"), StartsWith(R"(201 {"name":"c","acknowledged":)"));
  EXPECT_THAT(Make("c"), StartsWith(R"(409 {"error":{"code":"already_exists")"));
  EXPECT_EQ(Changes("consumer=c"), "200 ");
  PushBranch("main");
  PushBranch("next");

  const std::string first = Changes("consumer=c&limit=1");
  EXPECT_THAT(first, StartsWith("200 {\"lsn\":"));
  EXPECT_THAT(first, HasSubstr(R"("actor":"127.0.0.1")"));
  EXPECT_THAT(first, HasSubstr(R"("refs":[{"ref":"refs/heads/main","old":null,"new":")" +
                               one_.commit.ToHex() + "\"}]}\n"));
  EXPECT_THAT(Json("GET", kConsumers), HasSubstr(R"("lag":2,"cut_off":false)"));
  const std::string lsn = Number(first, "lsn");
  EXPECT_THAT(Json("POST", kConsumers + "/c/ack", "{\"lsn\":" + lsn + "}"),
              StartsWith("200 {\"name\":\"c\",\"acknowledged\":" + lsn));

  EXPECT_THAT(Changes("consumer=c"), HasSubstr("refs/heads/next"));
  EXPECT_EQ(Json("DELETE", kConsumers + "/c"), "200 {\"removed\":\"c\"}\n");
  EXPECT_THAT(Changes("consumer=c"), StartsWith(R"(404 {"error":{"code":"not_found")"));
}

TEST_F(ConsumersApiTest, WaitingEndsWithTheNextChange) {
  Make("c");
  auto waiting = std::async(std::launch::async, [this] { return Changes("consumer=c&wait=60"); });
  PushBranch("main");

  EXPECT_THAT(waiting.get(), HasSubstr("refs/heads/main"));
}

// Without an end of the waiting, stopping would take the whole minute.
TEST_F(ConsumersApiTest, WaitingEndsWhenTheServerStops) {
  Make("c");
  RawClient client(server_->port());
  pool_.Hold();
  client.Send(
      "GET /api/v1/repositories/g/a/changes?consumer=c&wait=60 HTTP/1.1\r\nHost: h\r\n"
      "Connection: close\r\n\r\n");
  ServeUntil([this] { return pool_.held() > 0; });  // It reads, and then waits.
  pool_.Release();

  server_->Stop(std::chrono::minutes(10));

  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ConsumersApiTest, NonsenseIsExplained) {
  Make("c");
  EXPECT_THAT(Make("a/b"), StartsWith(R"(400 {"error":{"code":"invalid_argument")"));
  EXPECT_THAT(Json("POST", kConsumers, R"({"nome":"c"})"), StartsWith("400"));
  EXPECT_THAT(Json("POST", kConsumers + "/c/ack", R"({"lsn":-1})"), StartsWith("400"));
  EXPECT_THAT(Json("POST", kConsumers + "/c/ack", R"({"lsn":1000})"), StartsWith("400"));
  EXPECT_THAT(Json("POST", kConsumers + "/d/ack", R"({"lsn":1})"), StartsWith("404"));
  EXPECT_THAT(Changes(""), StartsWith("400"));
  EXPECT_THAT(Changes("consumer=c&limit=0"), StartsWith("400"));
  EXPECT_THAT(Changes("consumer=c&wait=61"), StartsWith("400"));
  EXPECT_THAT(Json("PUT", kConsumers), StartsWith("405"));
  EXPECT_THAT(Json("GET", kConsumers + "/c"), StartsWith("405"));
  EXPECT_THAT(Json("GET", "/api/v1/repositories/none/consumers"), StartsWith("404"));
}

}  // namespace
}  // namespace quorate::http
