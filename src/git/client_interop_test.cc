// What we render, as the real git client understands it; what the client sends, as we parse it. The
// server is a script that plays back our bytes and keeps the client's.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "env/posix/file_system.h"
#include "git/advertisement.h"
#include "git/push_report.h"
#include "git/push_request.h"

namespace quorate::git {
namespace {

namespace fs = std::filesystem;

class ClientInteropTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "quorate-client-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  // The client's words, with its errors, after the server has said `answer`. `arguments` name the
  // server as "SERVER".
  std::string Git(std::string arguments, std::string_view answer = {}) {
    EXPECT_TRUE(files_.WriteFile(root_ + "/answer", answer));
    EXPECT_TRUE(
        files_.WriteFile(root_ + "/server", "cat " + root_ + "/answer; cat >" + root_ + "/said"));
    const std::size_t server = arguments.find("SERVER");
    if (server != std::string::npos) {
      arguments.replace(server, 6, "'sh " + root_ + "/server'");
    }
    const std::string line = "cd " + root_ +
                             " && GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null LC_ALL=C git " +
                             arguments + " 2>&1";
    FILE* pipe = popen(line.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::string out;
    char buffer[4096];
    for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      out.append(buffer, got);
    }
    pclose(pipe);
    return out;
  }

  std::string Said() { return files_.ReadFile(root_ + "/said").value(); }

  env::PosixFileSystem files_;
  std::string root_;
};

const std::string kA(40, 'a');
const std::string kB(40, 'b');

ObjectId Id(const std::string& hex) {
  return *ObjectId::FromHex(ObjectFormat::kSha1, hex);
}

template <class Writer>
void AddRefs(Writer& writer) {
  writer.Add({.name = "HEAD", .id = Id(kA), .symref_target = "refs/heads/main"});
  writer.Add({.name = "refs/heads/main", .id = Id(kA)});
  writer.Add({.name = "refs/tags/v1", .id = Id(kB), .peeled = Id(kA)});
  writer.Finish();
}

TEST_F(ClientInteropTest, ListsReferencesOfEveryVersion) {
  const std::string expected = "ref: refs/heads/main\tHEAD\n" + kA + "\tHEAD\n" + kA +
                               "\trefs/heads/main\n" + kB + "\trefs/tags/v1\n" + kA +
                               "\trefs/tags/v1^{}\n";
  for (const ProtocolVersion version : {ProtocolVersion::kV0, ProtocolVersion::kV1}) {
    std::string answer;
    AdvertisementWriter writer({.version = version,
                                .agent = "quorate/1",
                                .head_symref_target = "refs/heads/main",
                                .service_header = false},
                               answer);
    AddRefs(writer);

    EXPECT_EQ(Git("-c protocol.version=1 ls-remote --symref --upload-pack=SERVER /x", answer),
              expected);
  }

  std::string answer;
  AppendV2Capabilities(answer, {.agent = "quorate/1"});
  const LsRefsRequest request{.peel = true, .symrefs = true, .unborn = true};
  LsRefsWriter writer(request, answer);
  AddRefs(writer);

  EXPECT_EQ(Git("-c protocol.version=2 ls-remote --symref --upload-pack=SERVER /x", answer),
            expected);
}

TEST_F(ClientInteropTest, LsRefsRequestOfTheClientIsUnderstood) {
  std::string answer;
  AppendV2Capabilities(answer, {.agent = "quorate/1"});
  AppendFlush(answer);
  Git("-c protocol.version=2 ls-remote --heads --upload-pack=SERVER /x", answer);

  const std::string said = Said();
  std::string_view rest = said;
  V2RequestParser head(ObjectFormat::kSha1);
  ASSERT_TRUE(head.Feed(rest));
  EXPECT_EQ(head.head().command, V2Command::kLsRefs);
  EXPECT_EQ(head.head().agent.substr(0, 4), "git/");
  LsRefsParser arguments;
  ASSERT_TRUE(arguments.Feed(rest));
  EXPECT_TRUE(arguments.request().peel);
  EXPECT_TRUE(arguments.request().symrefs);
  EXPECT_EQ(arguments.request().prefixes, std::vector<std::string>{"refs/heads/"});
}

TEST_F(ClientInteropTest, PushOfTheClientIsParsedAndItsReportUnderstood) {
  Git("init -q -b main work");
  Git("-C work -c user.name=a -c user.email=a@b commit -q --allow-empty -m one");
  std::string answer;
  AdvertisementWriter writer(
      {.service = Service::kReceivePack, .agent = "quorate/1", .service_header = false}, answer);
  writer.Finish();
  answer += RenderPushReport(
      {.report_status = true, .report_status_v2 = true, .side_band_64k = true},
      {.commands = {{.ref = "refs/heads/main"},
                    {.ref = "refs/heads/side", .refusal = std::string(reason::kHookDeclined)}}});

  const std::string words =
      Git("-C work push -o ci.skip --receive-pack=SERVER /x main main:refs/heads/side", answer);

  EXPECT_NE(words.find(" * [new branch]      main -> main\n"), std::string::npos) << words;
  EXPECT_NE(words.find(" ! [remote rejected] main -> side (hook declined)\n"), std::string::npos)
      << words;
  const std::string said = Said();
  std::string_view rest = said;
  PushRequestParser parser(ObjectFormat::kSha1);
  ASSERT_TRUE(parser.Feed(rest));
  ASSERT_TRUE(parser.complete());
  const PushRequest& request = parser.request();
  EXPECT_TRUE(request.capabilities.report_status_v2);
  EXPECT_TRUE(request.capabilities.side_band_64k);
  EXPECT_EQ(request.push_options, std::vector<std::string>{"ci.skip"});
  ASSERT_EQ(request.commands.size(), 2u);
  EXPECT_EQ(request.commands[0].ref, "refs/heads/main");
  EXPECT_EQ(request.commands[1].ref, "refs/heads/side");
  EXPECT_TRUE(request.commands[1].creates());
  EXPECT_EQ(rest.substr(0, 4), "PACK");
}

}  // namespace
}  // namespace quorate::git
