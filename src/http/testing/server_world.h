// A whole server on a real node, and the requests that its tests make.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cluster/testing/world.h"
#include "env/testing/scripted_children.h"
#include "env/testing/temporary_folder.h"
#include "git/pkt_line.h"
#include "http/server.h"
#include "http/testing/raw_client.h"

namespace quorate::http {

inline const std::string kZero(40, '0');

// What a response body of pkt-lines says, one packet a line: "1 " and "2 " before the bands' text
// when it is in side bands.
inline std::string ShowPackets(std::string_view body) {
  std::string shown;
  for (;;) {
    const auto packet = git::TakePacket(body);
    if (!packet || !packet->has_value()) {
      return shown + std::string(body);
    }
    switch ((*packet)->kind) {
      case git::Packet::Kind::kData:
        shown += std::string(git::WithoutNewline((*packet)->payload)) + "\n";
        break;
      case git::Packet::Kind::kFlush:
        shown += "flush\n";
        break;
      default:
        shown += "delimiter\n";
    }
  }
}

// Of a request that speaks v2.
inline const std::string kV2 = "Git-Protocol: version=2\r\n";

inline std::string Packets(const std::vector<std::string>& lines, bool flush = true) {
  std::string body;
  for (const std::string& line : lines) {
    git::AppendPacket(body, line);
  }
  if (flush) {
    git::AppendFlush(body);
  }
  return body;
}

// The body of a v2 fetch.
inline std::string V2Fetch(const std::vector<std::string>& arguments) {
  std::string body = Packets({"command=fetch\n"}, false);
  git::AppendDelimiter(body);
  return body + Packets(arguments);
}

// The text of one band, all packets together.
inline std::string BandText(std::string_view body, char band) {
  std::string text;
  for (;;) {
    const auto packet = git::TakePacket(body);
    if (!packet || !packet->has_value()) {
      return text;
    }
    const std::string_view payload = (*packet)->payload;
    if (!payload.empty() && payload.front() == band) {
      text += payload.substr(1);
    }
  }
}

// A pool whose tasks can be held back. Any thread.
class HeldPool final : public env::StrandPool {
 public:
  explicit HeldPool(env::StrandPool& pool) : pool_(pool) {}

  std::unique_ptr<env::Strand> NewStrand() override { return pool_.NewStrand(); }
  void Post(env::Task task) override {
    const std::lock_guard lock(mutex_);
    if (held_) {
      tasks_.push_back(std::move(task));
    } else {
      pool_.Post(std::move(task));
    }
  }

  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  std::size_t held() {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    for (env::Task& task : std::exchange(tasks_, {})) {
      pool_.Post(std::move(task));
    }
  }

 private:
  env::StrandPool& pool_;
  std::mutex mutex_;  // Guards what follows.
  bool held_ = false;
  std::vector<env::Task> tasks_;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.threads = 2;
    QUORATE_CHECK(world_.Open().has_value());
    StartServer();
  }
  ~ServerTest() override {
    if (HasFailure()) {
      for (const std::string& line : logger_.lines()) {
        std::cerr << line << "\n";
      }
    }
    server_.reset();
    git_.Stop();
  }

  void StartServer() {
    server_.reset();
    options_.views_directory = world_.node->views_directory();
    server_ = std::move(HttpServer::Start(options_, {*world_.node, pool_, children_, files_, clock_,
                                                     logger_, metrics_, nullptr}))
                  .value();
  }

  // The whole response to one request on a connection of its own.
  std::string Request(const std::string& method, const std::string& target,
                      const std::string& headers = "", const std::string& body = "") {
    RawClient client(server_->port());
    client.Send(method + " " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.ReadToEnd();
  }
  static std::string Status(const std::string& response) { return response.substr(9, 3); }
  static std::string Body(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
  }
  std::string Json(const std::string& method, const std::string& target,
                   const std::string& body = "") {
    const std::string response =
        Request(method, target, "Content-Type: application/json\r\n", body);
    return Status(response) + " " + Body(response);
  }

  // The body of a push.
  static std::string PushBody(const std::vector<std::string>& commands,
                              const std::string& capabilities, const std::string& pack) {
    std::string body;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      git::AppendPacket(body,
                        i == 0 ? commands[i] + std::string(1, '\0') + capabilities : commands[i]);
    }
    git::AppendFlush(body);
    return body + pack;
  }
  // Its report, as "unpack ok|ok refs/heads/main", and after it what was said on side band 2.
  std::string Push(const std::vector<std::string>& commands, const std::string& pack,
                   const std::string& capabilities = "report-status side-band-64k quiet") {
    const std::string response = Request("POST", "/a.git/git-receive-pack",
                                         "Content-Type: application/x-git-receive-pack-request\r\n",
                                         PushBody(commands, capabilities, pack));
    EXPECT_EQ(Status(response), "200") << response;
    return ShowPackets(BandText(Body(response), '\1')) + BandText(Body(response), '\2');
  }
  // The response to a fetch request of these bytes.
  std::string Fetch(const std::string& body, const std::string& headers = "") {
    return Request("POST", "/a.git/git-upload-pack",
                   "Content-Type: application/x-git-upload-pack-request\r\n" + headers, body);
  }
  // Serves other requests until `done()`, or fails after a good while.
  template <class Done>
  void ServeUntil(Done done) {
    for (int i = 0; i < 10'000 && !done(); ++i) {
      Request("GET", "/livez");
    }
    EXPECT_TRUE(done());
  }
  std::string Refs() {
    return ShowPackets(Body(Request("GET", "/a.git/info/refs?service=git-receive-pack")));
  }

  const env::TemporaryFolder folder_;
  cluster::World world_{folder_.path() + "/data", cluster::LogMode::kLocal};
  env::ThreadPool git_{{.name = "git", .threads = 2}};
  HeldPool pool_{git_};
  env::ScriptedChildren children_;  // For upload-pack; those that index packs are the world's.
  env::PosixFileSystem files_;
  env::PosixClock clock_;
  env::RecordingLogger logger_;
  env::FakeMetrics metrics_;
  HttpOptions options_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace quorate::http
