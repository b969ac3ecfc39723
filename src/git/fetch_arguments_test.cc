#include "git/fetch_arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "git/pkt_line.h"

namespace quorate::git {
namespace {

const std::string kA(40, 'a');
const std::string kB(40, 'b');

std::string Packets(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    AppendPacket(out, line);
  }
  return out;
}

std::string Show(std::string_view bytes, ObjectFormat format = ObjectFormat::kSha1) {
  const std::optional<FetchArguments> arguments = ParseFetchArguments(format, bytes);
  if (!arguments) {
    return "for git";
  }
  std::string shown;
  for (const ObjectId& id : arguments->wants) {
    shown += "want " + id.ToHex().substr(0, 1) + " ";
  }
  for (const ObjectId& id : arguments->haves) {
    shown += "have " + id.ToHex().substr(0, 1) + " ";
  }
  shown += arguments->done ? "done " : "";
  shown += arguments->no_progress ? "quiet " : "";
  shown += arguments->include_tag ? "tags " : "";
  return shown;
}

TEST(FetchArgumentsTest, WhatAnOrdinaryFetchSaysIsUnderstoodInAnyOrder) {
  EXPECT_EQ(Show(Packets({"thin-pack", "no-progress", "include-tag", "ofs-delta",
                          "want " + kA + "\n", "want " + kB + "\n", "have " + kB + "\n"}) +
                 "0000"),
            "want a want b have b quiet tags ");
  EXPECT_EQ(Show(Packets({"done\n", "have " + kA, "have " + kA, "want " + kB}) + "0000"),
            "want b have a have a done ");
  EXPECT_EQ(Show("0000"), "");
}

TEST(FetchArgumentsTest, WhatAsksForMoreIsForGit) {
  for (const char* more :
       {"sideband-all", "wait-for-done", "deepen 1", "deepen-relative", "deepen-since 1",
        "deepen-not refs/heads/main", "filter blob:none", "want-ref refs/heads/main",
        "packfile-uris https", "hello", "", "done ", "Done"}) {
    EXPECT_EQ(Show(Packets({"want " + kA, more, "done"}) + "0000"), "for git") << more;
  }
  EXPECT_EQ(Show(Packets({"want " + kA, "shallow " + kB}) + "0000"), "for git");
}

TEST(FetchArgumentsTest, WhatIsMalformedIsForGit) {
  const std::string whole = Packets({"want " + kA, "done"}) + "0000";
  ASSERT_EQ(Show(whole), "want a done ");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Show(whole.substr(0, size)), "for git") << size;
  }
  EXPECT_EQ(Show(whole + "0000"), "for git");
  EXPECT_EQ(Show(Packets({"want " + kA}) + "0001" + Packets({"done"}) + "0000"), "for git");
  for (const std::string& want : {"want " + kA + "a", "want " + kA + " ", "want  " + kA,
                                  "want " + std::string(40, 'g'), std::string("want ")}) {
    EXPECT_EQ(Show(Packets({want, "done"}) + "0000"), "for git") << want;
  }
}

TEST(FetchArgumentsTest, IdsHaveTheLengthOfTheFormat) {
  const std::string body = Packets({"want " + std::string(64, 'c'), "done"}) + "0000";

  EXPECT_EQ(Show(body), "for git");
  EXPECT_EQ(Show(body, ObjectFormat::kSha256), "want c done ");
}

}  // namespace
}  // namespace quorate::git
