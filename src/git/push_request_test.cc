#include "git/push_request.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace quorate::git {
namespace {

const std::string kZero(40, '0');
const std::string kA(40, 'a');
const std::string kB(40, 'b');
const std::string kNul(1, '\0');

std::string Pkt(std::string_view payload) {
  std::string out;
  AppendPacket(out, payload);
  return out;
}

std::string Describe(const PushRequest& request) {
  const PushCapabilities& known = request.capabilities;
  std::string out = "caps:";
  const auto add = [&](bool is_set, const char* name) { out += is_set ? name : ""; };
  add(known.report_status, " report");
  add(known.report_status_v2, " v2");
  add(known.side_band_64k, " sideband");
  add(known.atomic, " atomic");
  add(known.delete_refs, " delete");
  add(known.ofs_delta, " ofs");
  add(known.quiet, " quiet");
  add(known.push_options, " options");
  out += known.agent.empty() ? "" : " agent=" + known.agent;
  out += known.session_id.empty() ? "" : " session=" + known.session_id;
  for (const ObjectId& id : request.shallow) {
    out += "\nshallow " + id.ToHex().substr(0, 4);
  }
  for (const PushCommand& command : request.commands) {
    out += "\n" + command.old_id.ToHex().substr(0, 4) + " " + command.new_id.ToHex().substr(0, 4) +
           " " + command.ref + (command.repeats ? " again" : "");
  }
  for (const std::string& option : request.push_options) {
    out += "\noption " + option;
  }
  return out;
}

struct Outcome {
  std::string text;  // The request, or the error.
  std::string rest;  // The begin of the pack.
};

Outcome Parse(std::string_view body, std::size_t piece, PushRequestLimits limits = {},
              ObjectFormat format = ObjectFormat::kSha1) {
  PushRequestParser parser(format, limits);
  while (!parser.complete() && !body.empty()) {
    const std::string bytes(body.substr(0, piece));
    std::string_view input = bytes;
    const Status fed = parser.Feed(input);
    if (!fed) {
      return {std::string(CodeName(fed.error().code())) + ": " + fed.error().message(), ""};
    }
    body.remove_prefix(bytes.size() - input.size());
  }
  const Status finished = parser.Finish();
  if (!finished) {
    return {finished.error().message(), ""};
  }
  return {Describe(parser.request()), std::string(body)};
}

TEST(PushRequestTest, WholeRequestIsReadHoweverItArrives) {
  const std::string body =
      Pkt("shallow " + kA) +
      Pkt(kZero + " " + kA + " refs/heads/new" + kNul +
          " report-status-v2 side-band-64k atomic quiet push-options object-format=sha1 "
          "agent=git/2.39.5 session-id=x\ty unheard-of=1") +
      Pkt(kA + " " + kB + " refs/heads/old\n") + Pkt(kB + " " + kZero + " refs/tags/gone") +
      "0000" + Pkt("ci.skip") + Pkt("") + "0000" + "PACK....0000";

  for (const std::size_t piece : {1u, 2u, 5u, 64u, 10000u}) {
    const Outcome outcome = Parse(body, piece);
    EXPECT_EQ(outcome.text,
              "caps: report v2 sideband atomic quiet options agent=git/2.39.5 session=x.y\n"
              "shallow aaaa\n"
              "0000 aaaa refs/heads/new\n"
              "aaaa bbbb refs/heads/old\n"
              "bbbb 0000 refs/tags/gone\n"
              "option ci.skip\n"
              "option ");
    EXPECT_EQ(outcome.rest, "PACK....0000");
  }
}

TEST(PushRequestTest, ProbeIsARequestWithoutCommands) {
  EXPECT_EQ(Parse("0000", 1).text, "caps:");
  EXPECT_EQ(Parse("", 1).text, "the push request ends within its commands");
}

TEST(PushRequestTest, CommandsWithoutCapabilitiesAreReadAsOldClientsSendThem) {
  EXPECT_EQ(Parse(Pkt(kA + " " + kB + " refs/heads/x") + "0000", 9).text,
            "caps:\naaaa bbbb refs/heads/x");
}

TEST(PushRequestTest, PackIsExpectedUnlessEverythingIsDeleted) {
  const auto expects = [](const std::string& commands) {
    PushRequestParser parser(ObjectFormat::kSha1);
    const std::string body = commands + "0000";
    std::string_view input = body;
    EXPECT_TRUE(parser.Feed(input));
    EXPECT_TRUE(parser.complete());
    return parser.request().expects_pack();
  };

  EXPECT_FALSE(expects(""));
  EXPECT_FALSE(expects(Pkt(kA + " " + kZero + " refs/heads/x")));
  EXPECT_TRUE(
      expects(Pkt(kA + " " + kZero + " refs/heads/x") + Pkt(kA + " " + kA + " refs/heads/y")));
}

TEST(PushRequestTest, OddCommandsAreLeftToTheCallersJudgement) {
  EXPECT_EQ(Parse(Pkt(kA + " " + kA + " refs/heads/../x") + Pkt(kZero + " " + kZero + " HEAD") +
                      Pkt(kA + " " + kB + " HEAD") + Pkt(kA + " " + kB + " ") + "0000",
                  50)
                .text,
            "caps:\n"
            "aaaa aaaa refs/heads/../x\n"
            "0000 0000 HEAD\n"
            "aaaa bbbb HEAD again\n"
            "aaaa bbbb ");
}

TEST(PushRequestTest, WhatIsNoCommandIsRefused) {
  const std::string expected = "invalid_argument: protocol error: expected old/new/ref, got '";
  for (const std::string& line :
       {std::string("hello"), kA, kA + " " + kB, kA + " " + kB + "\trefs/heads/x",
        kA.substr(1) + " " + kB + " refs/heads/x",
        std::string(40, 'g') + " " + kB + " refs/heads/x",
        std::string(64, 'a') + " " + std::string(64, 'b') + " refs/heads/x"}) {
    EXPECT_EQ(Parse(Pkt(line) + "0000", 1000).text.substr(0, expected.size()), expected) << line;
  }
  EXPECT_EQ(Parse(Pkt("shallow abc") + "0000", 10).text,
            "invalid_argument: protocol error: expected shallow id, got 'abc'");
  EXPECT_EQ(Parse("0001", 4).text,
            "invalid_argument: protocol error: unexpected special packet in a push");
  EXPECT_EQ(Parse(Pkt(kA + " " + kB + " refs/heads/x"), 10).text,
            "the push request ends within its commands");
}

TEST(PushRequestTest, AnotherObjectFormatIsRefused) {
  const std::string sha256 = std::string(64, '0') + " " + std::string(64, 'c') + " refs/heads/x";

  EXPECT_EQ(Parse(Pkt(sha256 + kNul + " object-format=sha256") + "0000", 99).text,
            "invalid_argument: unsupported object format 'sha256': this repository uses sha1");
  EXPECT_EQ(
      Parse(Pkt(sha256 + kNul + " object-format=sha256") + "0000", 99, {}, ObjectFormat::kSha256)
          .text,
      "caps:\n0000 cccc refs/heads/x");
  EXPECT_EQ(Parse(Pkt(kZero + " " + kA + " refs/heads/x" + kNul + " quiet") + "0000", 99, {},
                  ObjectFormat::kSha256)
                .text,
            "invalid_argument: unsupported object format 'sha1': this repository uses sha256");
}

TEST(PushRequestTest, SignedPushIsRefusedClearly) {
  EXPECT_EQ(Parse(Pkt("push-cert" + kNul + "report-status\n"), 99).text,
            "invalid_argument: signed pushes are not supported");
}

TEST(PushRequestTest, EachLimitIsKept) {
  const std::string command = Pkt(kA + " " + kB + " refs/heads/x" + kNul + "push-options");
  const std::string option = Pkt("123456789");

  EXPECT_EQ(Parse(command + command, 10, {.commands_max = 1}).text,
            "resource_exhausted: too many commands in one push");
  EXPECT_EQ(Parse(Pkt("shallow " + kA) + Pkt("shallow " + kB), 10, {.commands_max = 1}).text,
            "resource_exhausted: too many shallow lines in one push");
  EXPECT_EQ(Parse(command + command, 10, {.head_bytes_max = command.size()}).text,
            "resource_exhausted: too many bytes of commands in one push");
  EXPECT_EQ(Parse(command, 10, {.ref_name_bytes_max = 11}).text,
            "resource_exhausted: ref name of 12 bytes: 'refs/heads/x...'");
  EXPECT_EQ(Parse(command + "0000" + option + option, 10, {.push_options_max = 1}).text,
            "resource_exhausted: too many push options in one push");
  EXPECT_EQ(Parse(command + "0000" + option, 10, {.push_option_bytes_max = 8}).text,
            "resource_exhausted: too long a push option in one push");
}

}  // namespace
}  // namespace quorate::git
