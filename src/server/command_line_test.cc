#include "server/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "env/testing/temporary_folder.h"

namespace quorate::server {
namespace {

using testing::HasSubstr;

struct Ran {
  int status;
  std::string out;
  std::string err;
};

Ran Call(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"quorate"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = Main(static_cast<int>(argv.size()), argv.data());
  return {.status = status,
          .out = testing::internal::GetCapturedStdout(),
          .err = testing::internal::GetCapturedStderr()};
}

TEST(CommandLineTest, UsageErrorsExitWithTwoAndSayWhatIsWrong) {
  const env::TemporaryFolder folder;
  const std::string data = folder.path() + "/data";
  struct Row {
    std::vector<std::string> arguments;
    const char* says;
  };
  const std::vector<Row> rows = {
      {{}, "subcommand"},
      {{"no-such-command"}, "subcommand"},
      {{"serve", "--no-such-option"}, "--no-such-option"},
      {{"serve"}, "no data directory"},
      {{"serve", "--data", data, "--http", "nonsense"}, "nonsense"},
      {{"serve", "--data", data, "--http", "127.0.0.1:99999"}, "99999"},
      {{"serve", "--data", data, "--log-mode", "paper"}, "paper"},
      {{"serve", "--data", data, "--create-on-push", "perhaps"}, "perhaps"},
      {{"serve", "--data", data, "--peer", "nonsense"}, "nonsense"},
      {{"repo"}, "subcommand"},
      {{"repo", "create"}, "NAME"},
      {{"repo", "create", "a//b"}, "a//b"},
      {{"repo", "create", "a", "--object-format", "md5"}, "md5"},
      {{"repo", "create", "a", "--replicas", "99"}, "99"},
      {{"repo", "list", "--server", "ftp://127.0.0.1:1"}, "ftp"},
      {{"repo", "list", "--no-such-option"}, "--no-such-option"},
      {{"repo", "info"}, "NAME"},
      {{"repo", "delete"}, "NAME"},
      {{"repo", "log", "a", "--limit", "many"}, "many"},
      {{"repo", "txn", "a"}, "ID"},
      {{"repo", "follow", "a"}, "--consumer"},
      {{"repo", "consumer", "create", "a"}, "CONSUMER"},
      {{"repo", "config", "get", "a", "nodot"}, "no variable"},
      {{"repo", "config", "set", "a", "nodot", "1"}, "no variable"},
      {{"repo", "config", "unset", "a"}, "VARIABLE"},
      {{"cluster"}, "subcommand"},
      {{"cluster", "status", "--server", "127.0.0.1:1"}, "127.0.0.1:1"},
      {{"inspect"}, "DATA"},
      {{"inspect", data, "everything"}, "everything"},
      {{"completion", "tcsh"}, "tcsh"},
  };
  for (const Row& row : rows) {
    const Ran ran = Call(row.arguments);
    SCOPED_TRACE(testing::PrintToString(row.arguments));
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr(row.says));
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_FALSE(std::ifstream(data + "/VERSION").is_open());  // Nothing was done.
}

TEST(CommandLineTest, WhatFailsThoughItIsSaidWellExitsWithOne) {
  const env::TemporaryFolder folder;
  // Nobody listens there: the port is reserved.
  const Ran nobody = Call({"repo", "list", "--server", "http://127.0.0.1:1"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_THAT(nobody.err, HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(Call({"inspect", folder.path() + "/nothing"}).status, 1);
  const std::string data = folder.path() + "/data";
  const std::string config = folder.path() + "/config.toml";
  std::ofstream(config) << "[server]\nhtpp = \"127.0.0.1:0\"\n";
  EXPECT_EQ(Call({"serve", "--data", data, "--config", config}).status, 1);
  EXPECT_EQ(Call({"serve", "--data", data, "--http", "0.0.0.0:0"}).status, 1);
}

TEST(CommandLineTest, HelpAndVersionExitWithZero) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"--version"},
                                             {"serve", "--help"},
                                             {"repo", "create", "--help"},
                                             {"completion", "bash"}}) {
    const Ran ran = Call(arguments);
    EXPECT_EQ(ran.status, 0) << testing::PrintToString(arguments);
    EXPECT_NE(ran.out, "");
  }
}

}  // namespace
}  // namespace quorate::server
