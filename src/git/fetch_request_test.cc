#include "git/fetch_request.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace quorate::git {
namespace {

std::string Pkt(std::string_view payload) {
  std::string out;
  AppendPacket(out, payload);
  return out;
}

std::string ErrorText(const Error& error) {
  return std::string(CodeName(error.code())) + ": " + error.message();
}

std::string Describe(const V2RequestParser& parser) {
  std::string out;
  switch (parser.head().command) {
    case V2Command::kNone:
      out = "none";
      break;
    case V2Command::kLsRefs:
      out = "ls-refs";
      break;
    case V2Command::kFetch:
      out = "fetch";
      break;
    case V2Command::kObjectInfo:
      out = "object-info";
      break;
  }
  out += parser.head().has_arguments ? "+" : "";
  out += parser.head().agent.empty() ? "" : " agent=" + parser.head().agent;
  out += parser.head().session_id.empty() ? "" : " session=" + parser.head().session_id;
  for (const std::string& option : parser.head().server_options) {
    out += " option=" + option;
  }
  return out;
}

// The head and, behind " | ", what the parser left; or the error.
std::string Parse(std::string_view body, std::size_t piece,
                  ObjectFormat format = ObjectFormat::kSha1) {
  V2RequestParser parser(format);
  const std::string_view whole = body;
  while (!parser.complete() && !body.empty()) {
    const std::string bytes(body.substr(0, piece));
    std::string_view input = bytes;
    const Status fed = parser.Feed(input);
    if (!fed) {
      return ErrorText(fed.error());
    }
    body.remove_prefix(bytes.size() - input.size());
  }
  const Status finished = parser.Finish();
  if (!finished) {
    return ErrorText(finished.error());
  }
  EXPECT_EQ(parser.bytes() + std::string(body), whole);
  return Describe(parser) + " | " + std::string(body);
}

TEST(V2RequestTest, HeadEndsAtTheDelimiterAndTheBytesAreKept) {
  const std::string body = Pkt("command=fetch") + Pkt("agent=git/2.39.5 (x)\n") +
                           Pkt("object-format=sha1") + Pkt("server-option=a=b") +
                           Pkt("session-id=s") + "0001" + Pkt("thin-pack") + "0000";

  for (const std::size_t piece : {1u, 3u, 20u, 1000u}) {
    EXPECT_EQ(Parse(body, piece),
              "fetch+ agent=git/2.39.5.(x) session=s option=a=b | 000dthin-pack0000");
  }
}

TEST(V2RequestTest, CommandMayComeWithoutArguments) {
  EXPECT_EQ(Parse(Pkt("command=ls-refs\n") + "0000", 2), "ls-refs | ");
  EXPECT_EQ(Parse(Pkt("agent=x") + Pkt("command=object-info") + "00010000", 5),
            "object-info+ agent=x | 0000");
}

TEST(V2RequestTest, EmptyRequestEndsTheConversation) {
  EXPECT_EQ(Parse("0000", 1), "none | ");
  EXPECT_EQ(Parse("", 1), "none | ");
}

TEST(V2RequestTest, WhatWasNotOfferedIsRefusedInGitsWords) {
  EXPECT_EQ(Parse(Pkt("command=push"), 9), "invalid_argument: invalid command 'push'");
  EXPECT_EQ(Parse(Pkt("command=fetch") + Pkt("command=ls-refs"), 9),
            "invalid_argument: command 'ls-refs' requested after another command");
  EXPECT_EQ(Parse(Pkt("frobnicate=1"), 9), "invalid_argument: unknown capability 'frobnicate=1'");
  EXPECT_EQ(Parse(Pkt("fetch\n"), 9), "invalid_argument: unknown capability 'fetch'");
  EXPECT_EQ(Parse(Pkt("agent=x") + "0000", 9), "invalid_argument: no command requested");
  EXPECT_EQ(Parse("0001", 9), "invalid_argument: no command requested");
  EXPECT_EQ(Parse("0002", 9), "invalid_argument: unexpected response end packet");
  EXPECT_EQ(Parse(Pkt("command=fetch"), 9),
            "invalid_argument: the request ends within its capabilities");
}

TEST(V2RequestTest, AnotherObjectFormatIsRefused) {
  EXPECT_EQ(Parse(Pkt("command=fetch") + Pkt("object-format=sha256") + "0000", 9),
            "invalid_argument: mismatched object format: server sha1; client sha256");
  EXPECT_EQ(Parse(Pkt("command=fetch") + "0000", 9, ObjectFormat::kSha256),
            "invalid_argument: mismatched object format: server sha256; client sha1");
  EXPECT_EQ(Parse(Pkt("object-format=md5"), 9), "invalid_argument: unknown object format 'md5'");
}

TEST(V2RequestTest, HeadIsBounded) {
  std::string body = Pkt("command=fetch");
  for (int i = 0; i < 1000; ++i) {
    body += Pkt("server-option=" + std::string(100, 'x'));
  }

  EXPECT_EQ(Parse(body, 4096), "resource_exhausted: too long a list of capabilities");
}

std::string ParseLsRefs(std::string_view body, std::size_t piece) {
  LsRefsParser parser;
  while (!parser.complete() && !body.empty()) {
    const std::string bytes(body.substr(0, piece));
    std::string_view input = bytes;
    const Status fed = parser.Feed(input);
    if (!fed) {
      return ErrorText(fed.error());
    }
    body.remove_prefix(bytes.size() - input.size());
  }
  const Status finished = parser.Finish();
  if (!finished) {
    return ErrorText(finished.error());
  }
  const LsRefsRequest& request = parser.request();
  std::string out = std::string(request.peel ? "peel " : "") + (request.symrefs ? "symrefs " : "") +
                    (request.unborn ? "unborn " : "");
  for (const std::string& prefix : MergedPrefixes(request)) {
    out += "[" + prefix + "]";
  }
  return out;
}

TEST(LsRefsRequestTest, ArgumentsAreReadHoweverTheyArrive) {
  const std::string body = Pkt("peel\n") + Pkt("symrefs") + Pkt("unborn") +
                           Pkt("ref-prefix refs/heads/\n") + Pkt("ref-prefix HEAD") + "0000";

  for (const std::size_t piece : {1u, 7u, 1000u}) {
    EXPECT_EQ(ParseLsRefs(body, piece), "peel symrefs unborn [HEAD][refs/heads/]");
  }
  EXPECT_EQ(ParseLsRefs("0000", 4), "[]");
}

TEST(LsRefsRequestTest, PrefixesCoveredByOthersAreMerged) {
  EXPECT_EQ(ParseLsRefs(Pkt("ref-prefix refs/heads/main") + Pkt("ref-prefix refs/tags/") +
                            Pkt("ref-prefix refs/heads/") + Pkt("ref-prefix refs/heads/") +
                            Pkt("ref-prefix refs/headsman") + "0000",
                        100),
            "[refs/heads/][refs/headsman][refs/tags/]");
  EXPECT_EQ(ParseLsRefs(Pkt("ref-prefix ") + Pkt("ref-prefix a") + "0000", 100), "[]");
}

TEST(LsRefsRequestTest, TooManyPrefixesMeanEverything) {
  std::string body;
  for (std::size_t i = 0; i < kRefPrefixesMax; ++i) {
    body += Pkt("ref-prefix refs/x");
  }
  EXPECT_EQ(ParseLsRefs(body + "0000", 1 << 20), "[refs/x]");

  body += Pkt("ref-prefix refs/x") + Pkt("ref-prefix refs/y");
  EXPECT_EQ(ParseLsRefs(body + "0000", 1 << 20), "[]");
}

TEST(LsRefsRequestTest, UnknownArgumentsAndBadEndsAreRefused) {
  EXPECT_EQ(ParseLsRefs(Pkt("want x"), 4), "invalid_argument: unexpected line: 'want x'");
  EXPECT_EQ(ParseLsRefs("0001", 4), "invalid_argument: expected flush after ls-refs arguments");
  EXPECT_EQ(ParseLsRefs(Pkt("peel"), 4), "invalid_argument: the request ends within its arguments");
}

std::string Probe(std::string_view begin) {
  UploadRequestProbe probe(ObjectFormat::kSha1);
  const Status looked = probe.Look(begin);
  if (!looked) {
    return std::string(CodeName(looked.error().code())) + ": " + looked.error().message();
  }
  const std::string session = probe.session_id().empty() ? "" : " " + probe.session_id();
  switch (probe.kind()) {
    case UploadRequestProbe::Kind::kNeedsMore:
      return "needs more" + session;
    case UploadRequestProbe::Kind::kFlushOnly:
      return "flush only" + session;
    case UploadRequestProbe::Kind::kNegotiation:
      return "negotiation" + session;
  }
  return "";
}

TEST(UploadRequestTest, FlushOnlyRequestIsSeenInItsFirstBytes) {
  EXPECT_EQ(Probe("000"), "needs more");
  EXPECT_EQ(Probe("0000"), "flush only");
  EXPECT_EQ(Probe("0032want "), "needs more");
  EXPECT_EQ(Probe(Pkt("want 12")), "negotiation");
  EXPECT_EQ(Probe("zzzz"), "invalid_argument: bad packet length 'zzzz'");
}

TEST(UploadRequestTest, CapabilitiesOfTheFirstLineAreLookedAt) {
  EXPECT_EQ(Probe(Pkt("want 12 ofs-delta object-format=sha1 session-id=a\x01"
                      "b\n")),
            "negotiation a.b");
  EXPECT_EQ(Probe(Pkt("want 12 object-format=sha256 ofs-delta")),
            "invalid_argument: mismatched object format: server sha1; client sha256");
  EXPECT_EQ(Probe(Pkt("want 12 object-format=md5")),
            "invalid_argument: unknown object format 'md5'");
}

}  // namespace
}  // namespace quorate::git
