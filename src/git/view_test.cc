// Views are tested against the real git: it has to read them, and to serve from them.
#include "git/view.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "env/posix/file_system.h"
#include "git/fetch_request.h"
#include "git/pkt_line.h"

namespace quorate::git {
namespace {

namespace fs = std::filesystem;

std::string Quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

class ViewTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "quorate-view-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    view_ = root_ + "/views/v1";
    fs::create_directories(root_ + "/views");
  }
  void TearDown() override { fs::remove_all(root_); }

  // The output of a shell command, with its errors.
  std::string Shell(const std::string& command) {
    FILE* pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::string out;
    char buffer[4096];
    for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      out.append(buffer, got);
    }
    const int status = pclose(pipe);
    return status == 0 ? out : out + "(failed)";
  }

  std::string Git(const std::string& arguments) {
    return Shell("GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null git " + arguments);
  }

  // A repository with one commit on main and an annotated tag, whose objects the view will use.
  void MakeOrigin(std::string_view format) {
    const std::string dir = root_ + "/origin";
    Git("init -q -b main --object-format=" + std::string(format) + " " + dir);
    Git("-C " + dir + " -c user.name=a -c user.email=a@b commit -q --allow-empty -m one");
    Git("-C " + dir + " -c user.name=a -c user.email=a@b tag -a -m t v1");
    commit_ = Git("-C " + dir + " rev-parse HEAD").substr(0, commit_size(format));
    tag_ = Git("-C " + dir + " rev-parse v1").substr(0, commit_size(format));
  }

  static std::size_t commit_size(std::string_view format) { return format == "sha1" ? 40 : 64; }

  ViewOptions Options(ObjectFormat format) const {
    return {.path = view_,
            .objects_directory = root_ + "/origin/.git/objects",
            .format = format,
            .head_symref_target = "refs/heads/main",
            .head_id = ObjectId::Zero(format)};
  }

  void WriteView(ObjectFormat format) {
    const ObjectId commit = *ObjectId::FromHex(format, commit_);
    const ObjectId tag = *ObjectId::FromHex(format, tag_);
    auto writer = ViewWriter::Create(files_, Options(format));
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->Add({.name = "refs/heads/main", .id = commit}));
    ASSERT_TRUE((*writer)->Add(
        {.name = "refs/remotes/o/HEAD", .id = commit, .symref_target = "refs/heads/main"}));
    ASSERT_TRUE((*writer)->Add({.name = "refs/tags/v1", .id = tag, .peeled = commit}));
    ASSERT_TRUE((*writer)->Finish());
  }

  // Its standard output.
  std::string UploadPack(UploadPackOptions options, std::string_view request) {
    options.view = view_;
    options.objects_directory = root_ + "/origin/.git/objects";
    options.path_variable = getenv("PATH");
    const CommandLine command = UploadPackCommand(options);
    std::string line = "printf %s " + Quoted(request) + " | env -i";
    for (const std::string& variable : command.environment) {
      line += " " + Quoted(variable);
    }
    for (const std::string& word : command.argv) {
      line += " " + Quoted(word);
    }
    return Shell(line + " 2>/dev/null");
  }

  env::PosixFileSystem files_;
  std::string root_;
  std::string view_;
  std::string commit_;
  std::string tag_;
};

std::string Pkt(std::string_view payload) {
  std::string out;
  AppendPacket(out, payload);
  return out;
}

// The real git reads what is rendered, and what is fixed wins.
TEST_F(ViewTest, GitSeesOfTheRepositorysConfigurationOnlyWhatIsHarmless) {
  MakeOrigin("sha1");
  ViewOptions options = Options(ObjectFormat::kSha1);
  options.config = {{"alias.upload-pack", {"!touch /tmp/never"}},
                    {"core.bare", {"false"}},
                    {"core.compression", {"9", "3"}},
                    {"core.sshcommand", {"/bin/false"}},
                    {"include.path", {"/nonexistent"}},
                    {"pack.depth", {"no number"}},
                    {"uploadpack.packobjectshook", {"/bin/false"}},
                    {"uploadpackfilter.tree.maxdepth", {"7"}}};
  auto writer = ViewWriter::Create(files_, options).value();
  ASSERT_TRUE(writer->Finish());

  const std::string config = "-C " + view_ + " config --get ";
  EXPECT_EQ(Git(config + "core.compression"), "3\n");
  EXPECT_EQ(Git(config + "uploadpackfilter.tree.maxdepth"), "7\n");
  EXPECT_EQ(Git(config + "core.bare"), "true\n");
  for (const char* name : {"alias.upload-pack", "core.sshcommand", "include.path", "pack.depth",
                           "uploadpack.packobjectshook"}) {
    EXPECT_EQ(Git(config + name), "(failed)") << name;
  }
}

TEST_F(ViewTest, FilesAreWhatGitWouldHaveWritten) {
  MakeOrigin("sha1");
  WriteView(ObjectFormat::kSha1);

  EXPECT_EQ(files_.ReadFile(view_ + "/HEAD").value(), "ref: refs/heads/main\n");
  EXPECT_EQ(files_.ReadFile(view_ + "/packed-refs").value(),
            "# pack-refs with: peeled fully-peeled sorted \n" + commit_ + " refs/heads/main\n" +
                tag_ + " refs/tags/v1\n^" + commit_ + "\n");
  EXPECT_EQ(files_.ReadFile(view_ + "/refs/remotes/o/HEAD").value(), "ref: refs/heads/main\n");
  EXPECT_FALSE(fs::exists(view_ + ".tmp"));
}

TEST_F(ViewTest, GitReadsTheViewInBothObjectFormats) {
  for (const ObjectFormat format : {ObjectFormat::kSha1, ObjectFormat::kSha256}) {
    fs::remove_all(root_ + "/origin");
    fs::remove_all(view_);
    MakeOrigin(FormatName(format));
    WriteView(format);

    const std::string in_view = "-c safe.directory='*' --git-dir=" + view_ + " ";
    EXPECT_EQ(Git(in_view + "for-each-ref --format='%(objectname) %(refname) %(symref)'"),
              commit_ + " refs/heads/main \n" + commit_ + " refs/remotes/o/HEAD refs/heads/main\n" +
                  tag_ + " refs/tags/v1 \n");
    EXPECT_EQ(Git(in_view + "rev-parse HEAD v1^{}"), commit_ + "\n" + commit_ + "\n");
    EXPECT_EQ(Git(in_view + "log -1 --format=%s"), "one\n");
    EXPECT_EQ(Git(in_view + "fsck --no-progress --no-dangling"), "");
  }
}

TEST_F(ViewTest, UploadPackServesEveryVersionFromTheView) {
  MakeOrigin("sha1");
  WriteView(ObjectFormat::kSha1);

  const std::string v0 = UploadPack({.advertise = true}, "");
  EXPECT_NE(v0.find(commit_ + " HEAD"), std::string::npos) << v0;
  EXPECT_NE(v0.find(commit_ + " refs/tags/v1^{}\n"), std::string::npos) << v0;
  EXPECT_NE(v0.find(" filter "), std::string::npos) << v0;
  const std::string v1 = UploadPack({.version = ProtocolVersion::kV1, .advertise = true}, "");
  EXPECT_EQ(v1.substr(0, 14), "000eversion 1\n");
  const std::string v2 = UploadPack({.version = ProtocolVersion::kV2, .advertise = true}, "");
  EXPECT_NE(v2.find("fetch=shallow wait-for-done filter ref-in-want"), std::string::npos) << v2;

  const std::string want = Pkt("want " + commit_ + " ofs-delta\n") + "0000" + Pkt("done\n");
  EXPECT_EQ(UploadPack({}, want).substr(0, 12), "0008NAK\nPACK");
  const std::string fetch = Pkt("command=fetch") + Pkt("object-format=sha1") + "0001" +
                            Pkt("no-progress") + Pkt("want " + commit_ + "\n") + Pkt("done\n") +
                            "0000";
  const std::string answer = UploadPack({.version = ProtocolVersion::kV2}, fetch);
  EXPECT_EQ(answer.substr(0, 13), "000dpackfile\n");
  EXPECT_EQ(answer.substr(18, 4), "PACK");
}

// Our parser hands on exactly the bytes that the child needs.
TEST_F(ViewTest, UploadPackTakesTheHeadThatTheParserKept) {
  MakeOrigin("sha1");
  WriteView(ObjectFormat::kSha1);
  const std::string body = Pkt("command=object-info") + Pkt("object-format=sha1") + "0001" +
                           Pkt("size\n") + Pkt("oid " + commit_ + "\n") + "0000";
  V2RequestParser parser(ObjectFormat::kSha1);
  std::string_view rest = body;
  ASSERT_TRUE(parser.Feed(rest));
  ASSERT_EQ(parser.head().command, V2Command::kObjectInfo);

  std::string size = Git("-C " + root_ + "/origin cat-file -s HEAD");
  size.pop_back();

  const std::string answer =
      UploadPack({.version = ProtocolVersion::kV2}, parser.bytes() + std::string(rest));

  EXPECT_EQ(answer, Pkt("size") + Pkt(commit_ + " " + size) + "0000");
}

TEST_F(ViewTest, ForeignOwnerDoesNotStopUploadPack) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root to give a view away";
  }
  MakeOrigin("sha1");
  WriteView(ObjectFormat::kSha1);
  ASSERT_EQ(Shell("chown -R nobody " + root_), "");

  const std::string v0 = UploadPack({.advertise = true}, "");

  EXPECT_NE(v0.find(commit_ + " HEAD"), std::string::npos) << v0;
}

TEST_F(ViewTest, EmptyRepositoryWithUnbornHeadIsServed) {
  Git("init -q " + root_ + "/origin");
  auto writer = ViewWriter::Create(files_, Options(ObjectFormat::kSha1));
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->Finish());

  EXPECT_EQ(UploadPack({.version = ProtocolVersion::kV2},
                       Pkt("command=ls-refs") + Pkt("object-format=sha1") + "0001" +
                           Pkt("symrefs\n") + Pkt("unborn\n") + "0000"),
            Pkt("unborn HEAD symref-target:refs/heads/main\n") + "0000");
}

TEST_F(ViewTest, DetachedHeadIsWrittenAsAnId) {
  MakeOrigin("sha1");
  ViewOptions options = Options(ObjectFormat::kSha1);
  options.head_symref_target.clear();
  options.head_id = *ObjectId::FromHex(ObjectFormat::kSha1, commit_);
  auto writer = ViewWriter::Create(files_, options);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->Finish());

  EXPECT_EQ(Git("-c safe.directory='*' --git-dir=" + view_ + " rev-parse HEAD"), commit_ + "\n");
}

TEST_F(ViewTest, WhatGitCouldNotReadIsRefused) {
  const auto code_of = [&](auto change) {
    ViewOptions options = Options(ObjectFormat::kSha1);
    change(options);
    auto writer = ViewWriter::Create(files_, options);
    return writer ? "ok" : std::string(CodeName(writer.error().code()));
  };

  EXPECT_EQ(code_of([](ViewOptions&) {}), "ok");
  EXPECT_EQ(code_of([](ViewOptions& o) { o.head_symref_target = "main"; }), "invalid_argument");
  EXPECT_EQ(code_of([](ViewOptions& o) { o.head_symref_target = "refs/heads/a\nb"; }),
            "invalid_argument");
  EXPECT_EQ(code_of([](ViewOptions& o) { o.head_symref_target.clear(); }), "invalid_argument");
  EXPECT_EQ(code_of([](ViewOptions& o) { o.objects_directory = "objects"; }), "invalid_argument");
  EXPECT_EQ(code_of([](ViewOptions& o) { o.objects_directory += "\n/etc"; }), "invalid_argument");
}

TEST_F(ViewTest, WhatFailsHalfWayLeavesNothing) {
  MakeOrigin("sha1");
  WriteView(ObjectFormat::kSha1);
  {
    auto abandoned = ViewWriter::Create(files_, Options(ObjectFormat::kSha1));
    ASSERT_TRUE(abandoned);
    EXPECT_TRUE(fs::exists(view_ + ".tmp"));
  }
  EXPECT_FALSE(fs::exists(view_ + ".tmp"));
  {
    auto second = ViewWriter::Create(files_, Options(ObjectFormat::kSha1));
    ASSERT_TRUE(second);
    EXPECT_FALSE((*second)->Finish());  // A view that is there is never replaced.
  }

  EXPECT_EQ(files_.List(root_ + "/views").value(), std::vector<std::string>{"v1"});
  EXPECT_NE(files_.ReadFile(view_ + "/packed-refs").value().find("refs/heads/main"),
            std::string::npos);
}

TEST_F(ViewTest, ManyReferencesAreStillSearchable) {
  MakeOrigin("sha1");
  const ObjectId commit = *ObjectId::FromHex(ObjectFormat::kSha1, commit_);
  auto writer = ViewWriter::Create(files_, Options(ObjectFormat::kSha1));
  ASSERT_TRUE(writer);
  for (int i = 0; i < 30'000; ++i) {  // More than fits the buffer.
    const std::string name = "refs/heads/b" + std::to_string(100'000 + i);
    ASSERT_TRUE((*writer)->Add({.name = name, .id = commit}));
  }
  ASSERT_TRUE((*writer)->Finish());

  const std::string in_view = "-c safe.directory='*' --git-dir=" + view_ + " ";
  EXPECT_EQ(Git(in_view + "for-each-ref | wc -l"), "30000\n");
  EXPECT_EQ(Git(in_view + "rev-parse refs/heads/b123456"), commit_ + "\n");
}

}  // namespace
}  // namespace quorate::git
