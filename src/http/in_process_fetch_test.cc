// Which fetches are answered in process, and which by `git upload-pack`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "git/testing/pack_builder.h"
#include "http/testing/server_world.h"

namespace quorate::http {
namespace {

using testing::HasSubstr;

// Where a process would answer, it says so.
class InProcessFetchTest : public ServerTest {
 protected:
  InProcessFetchTest() {
    QUORATE_CHECK(world_.Create("a").has_value());
    const git::SmallPush one = git::MakeSmallPush(git::ObjectFormat::kSha1, "one");
    const git::SmallPush two = git::MakeSmallPush(git::ObjectFormat::kSha1, "two", {one.commit});
    first_ = one.commit.ToHex();
    second_ = two.commit.ToHex();
    Push({kZero + " " + first_ + " refs/heads/main"}, one.pack);
    Push({first_ + " " + second_ + " refs/heads/main"}, two.pack);
    children_.RunInPlace("cat >/dev/null; printf '%s' '" + Packets({"by git"}) + "'");
  }

  // "memory" or "process", as counted too.
  std::string AnsweredBy(const std::vector<std::string>& arguments) {
    const double before = Count("memory");
    const std::string body = Body(Fetch(V2Fetch(arguments), kV2));
    const std::string by = body.find("by git") == std::string::npos ? "memory" : "process";
    EXPECT_EQ(Count("memory") - before, by == "memory" ? 1 : 0);
    return by;
  }
  double Count(const std::string& by) const {
    return metrics_.Value("quorate_fetches_total", {{"by", by}}).value_or(0);
  }
  // How many objects the pack in an answer has.
  static int ObjectsIn(const std::string& response) {
    const std::string pack = BandText(Body(response), '\1');
    return pack.size() < 12 ? -1 : static_cast<unsigned char>(pack[11]);
  }

  std::string first_;
  std::string second_;
};

TEST_F(InProcessFetchTest, OneNewCommitNeedsNoProcess) {
  const std::string response = Fetch(
      V2Fetch({"thin-pack", "include-tag", "ofs-delta", "want " + second_, "have " + first_}), kV2);

  EXPECT_THAT(ShowPackets(Body(response)),
              HasSubstr("acknowledgments\nACK " + first_ + "\nready\ndelimiter\npackfile\n"));
  EXPECT_EQ(ObjectsIn(response), 3);
  EXPECT_EQ(Count("memory"), 1);
  EXPECT_EQ(Count("process"), 0);
  EXPECT_EQ(metrics_.Value("quorate_git_children_started_total"), 0);
  EXPECT_EQ(metrics_.Value("quorate_view_cache_misses_total"), 0);
  EXPECT_EQ(logger_.Count("memory"), 1);
}

TEST_F(InProcessFetchTest, WhatIsNotSmallOrNotPlainIsForGit) {
  EXPECT_EQ(AnsweredBy({"want " + second_, "done"}), "memory");
  EXPECT_EQ(AnsweredBy({"want " + second_, "deepen 1", "done"}), "process");
  EXPECT_EQ(AnsweredBy({"want " + second_, "filter blob:none", "done"}), "process");
  EXPECT_EQ(AnsweredBy({"want " + std::string(40, '1'), "done"}), "process");
  EXPECT_EQ(AnsweredBy({}), "process");
  EXPECT_THAT(Fetch(Packets({"want " + second_}) + Packets({"done"}, false)), HasSubstr("by git"));
}

TEST_F(InProcessFetchTest, ALimitOfNothingSwitchesItOff) {
  options_.in_process_fetch_objects_max = 0;
  StartServer();

  EXPECT_EQ(AnsweredBy({"want " + second_, "have " + first_}), "process");
}

TEST_F(InProcessFetchTest, AFetchBeyondTheLimitIsForGit) {
  options_.in_process_fetch_objects_max = 4;  // Of two commits, two trees and a file.
  StartServer();

  EXPECT_EQ(AnsweredBy({"want " + second_, "have " + first_}), "process");
  options_.in_process_fetch_objects_max = 5;
  StartServer();
  EXPECT_EQ(AnsweredBy({"want " + second_, "have " + first_}), "memory");
}

TEST_F(InProcessFetchTest, AnnotatedTagsOfWhatIsSentComeAlong) {
  git::PackBuilder builder;
  const git::ObjectId commit = *git::ObjectId::FromHex(git::ObjectFormat::kSha1, second_);
  const std::string tag = builder.Tag({.target = commit}).ToHex();
  Push({kZero + " " + tag + " refs/tags/v1"}, builder.Finish());
  const std::vector<std::string> arguments = {"want " + second_, "have " + first_, "done"};
  std::vector<std::string> with_tags = arguments;
  with_tags.emplace_back("include-tag");

  EXPECT_EQ(ObjectsIn(Fetch(V2Fetch(arguments), kV2)), 3);
  EXPECT_EQ(ObjectsIn(Fetch(V2Fetch(with_tags), kV2)), 4);
}

TEST_F(InProcessFetchTest, TooManyTagsAreNotSearched) {
  std::vector<std::string> commands;
  for (int i = 0; i <= 2000; ++i) {
    commands.push_back(kZero + " " + first_ + " refs/tags/t" + std::to_string(i));
  }
  git::PackBuilder nothing;
  Push(commands, nothing.Finish());

  EXPECT_EQ(AnsweredBy({"want " + second_, "have " + first_, "include-tag"}), "process");
  EXPECT_EQ(AnsweredBy({"want " + second_, "have " + first_}), "memory");
}

TEST_F(InProcessFetchTest, NoPlaceForAProcessIsTaken) {
  options_.children_max = 1;
  options_.children_waiting_max = 0;
  StartServer();
  children_.RunInPlace("printf '0008NAK\\n'; exec sleep 1000");
  RawClient slow(server_->port());
  const std::string body = V2Fetch({"want " + second_, "deepen 1", "done"});
  slow.Send("POST /a/git-upload-pack HTTP/1.1\r\nHost: h\r\n" + kV2 +
            "Content-Type: application/x-git-upload-pack-request\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_THAT(slow.ReadUntil("NAK"), HasSubstr("NAK"));

  const std::string small = Fetch(V2Fetch({"want " + second_, "have " + first_}), kV2);
  const std::string other = Fetch(V2Fetch({"want " + second_, "deepen 1", "done"}), kV2);
  slow.Close();

  EXPECT_THAT(Body(small), HasSubstr("packfile"));
  EXPECT_EQ(Status(other), "503");
  ServeUntil([this] { return metrics_.Value("quorate_git_children") == 0; });
}

}  // namespace
}  // namespace quorate::http
