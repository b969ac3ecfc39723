#include "git/advertisement.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "git/pkt_line.h"

namespace quorate::git {
namespace {

ObjectId Id(char digit) {
  return *ObjectId::FromHex(ObjectFormat::kSha1, std::string(40, digit));
}

// Packets as lines, for people: lengths are checked and dropped, ids of one digit are shortened.
std::string Readable(std::string_view stream) {
  std::string out;
  while (!stream.empty()) {
    const std::optional<Packet> packet = TakePacket(stream).value();
    if (!packet) {
      return out + "(truncated)";
    }
    out += packet->kind == Packet::Kind::kData ? std::string(packet->payload) : "flush\n";
  }
  for (const char digit : {'0', '1', '2', '3', '4'}) {
    const std::string id(40, digit);
    for (std::size_t at = out.find(id); at != std::string::npos; at = out.find(id)) {
      out.replace(at, id.size(), std::string("<") + digit + ">");
    }
  }
  for (char& c : out) {
    c = c == '\0' ? '!' : c;
  }
  return out;
}

std::vector<AdvertisedRef> SampleRefs() {
  return {{.name = "HEAD", .id = Id('1'), .symref_target = "refs/heads/main"},
          {.name = "refs/heads/main", .id = Id('1')},
          {.name = "refs/heads/side", .id = Id('2')},
          {.name = "refs/remotes/o/HEAD", .id = Id('2'), .symref_target = "refs/heads/side"},
          {.name = "refs/remotes/o/broken",
           .id = ObjectId::Zero(ObjectFormat::kSha1),
           .symref_target = "refs/heads/none"},
          {.name = "refs/tags/v1", .id = Id('3'), .peeled = Id('4')}};
}

std::string Advertise(AdvertisementOptions options, const std::vector<AdvertisedRef>& refs) {
  options.agent = "quorate/1";
  std::string out;
  AdvertisementWriter writer(std::move(options), out);
  for (const AdvertisedRef& ref : refs) {
    writer.Add(ref);
  }
  writer.Finish();
  return Readable(out);
}

const std::string kUploadCapabilities =
    "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not "
    "deepen-relative no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want "
    "allow-reachable-sha1-in-want no-done ";

TEST(AdvertisementTest, UploadPackShowsHeadFirstAndPeelsTags) {
  EXPECT_EQ(Advertise({.head_symref_target = "refs/heads/main"}, SampleRefs()),
            "# service=git-upload-pack\n"
            "flush\n"
            "<1> HEAD!" +
                kUploadCapabilities +
                "symref=HEAD:refs/heads/main filter object-format=sha1 agent=quorate/1\n"
                "<1> refs/heads/main\n"
                "<2> refs/heads/side\n"
                "<2> refs/remotes/o/HEAD\n"
                "<3> refs/tags/v1\n"
                "<4> refs/tags/v1^{}\n"
                "flush\n");
}

TEST(AdvertisementTest, ReceivePackShowsNeitherHeadNorPeeledTags) {
  EXPECT_EQ(Advertise({.service = Service::kReceivePack, .session_id = "s1"}, SampleRefs()),
            "# service=git-receive-pack\n"
            "flush\n"
            "<1> refs/heads/main!report-status report-status-v2 delete-refs side-band-64k quiet "
            "atomic ofs-delta push-options session-id=s1 object-format=sha1 agent=quorate/1\n"
            "<2> refs/heads/side\n"
            "<2> refs/remotes/o/HEAD\n"
            "<3> refs/tags/v1\n"
            "flush\n");
}

TEST(AdvertisementTest, EmptyRepositoryStillTellsItsCapabilities) {
  EXPECT_EQ(Advertise({.version = ProtocolVersion::kV1, .service_header = false}, {}),
            "version 1\n"
            "<0> capabilities^{}!" +
                kUploadCapabilities + "filter object-format=sha1 agent=quorate/1\nflush\n");
  EXPECT_EQ(Advertise({.service = Service::kReceivePack, .push_options = false}, {}),
            "# service=git-receive-pack\n"
            "flush\n"
            "<0> capabilities^{}!report-status report-status-v2 delete-refs side-band-64k quiet "
            "atomic ofs-delta object-format=sha1 agent=quorate/1\n"
            "flush\n");
}

TEST(AdvertisementTest, Sha256IdsAreWrittenWhole) {
  std::string out;
  AdvertisementWriter writer({.format = ObjectFormat::kSha256, .agent = "q"}, out);
  writer.Finish();

  EXPECT_NE(out.find(std::string(64, '0') + " capabilities^{}"), std::string::npos);
  EXPECT_NE(out.find(" object-format=sha256 "), std::string::npos);
}

TEST(AdvertisementTest, V2CapabilitiesAreThoseOfGitsOwnServer) {
  std::string out;
  AppendV2Capabilities(out, {.agent = "git/2.39.5"});

  EXPECT_EQ(out,
            "000eversion 2\n"
            "0015agent=git/2.39.5\n"
            "0013ls-refs=unborn\n"
            "0027fetch=shallow wait-for-done filter\n"
            "0012server-option\n"
            "0017object-format=sha1\n"
            "0010object-info\n"
            "0000");
}

std::string LsRefs(const LsRefsRequest& request, const std::vector<AdvertisedRef>& refs) {
  std::string out;
  LsRefsWriter writer(request, out);
  for (const AdvertisedRef& ref : refs) {
    writer.Add(ref);
  }
  writer.Finish();
  return Readable(out);
}

TEST(LsRefsTest, SymrefsAndPeeledTagsAreToldOnRequest) {
  EXPECT_EQ(LsRefs({}, SampleRefs()),
            "<1> HEAD\n<1> refs/heads/main\n<2> refs/heads/side\n<2> refs/remotes/o/HEAD\n"
            "<3> refs/tags/v1\nflush\n");
  EXPECT_EQ(LsRefs({.peel = true, .symrefs = true}, SampleRefs()),
            "<1> HEAD symref-target:refs/heads/main\n"
            "<1> refs/heads/main\n"
            "<2> refs/heads/side\n"
            "<2> refs/remotes/o/HEAD symref-target:refs/heads/side\n"
            "<3> refs/tags/v1 peeled:<4>\n"
            "flush\n");
}

TEST(LsRefsTest, PrefixesFilter) {
  EXPECT_EQ(LsRefs({.prefixes = {"refs/tags/", "HEAD"}}, SampleRefs()),
            "<1> HEAD\n<3> refs/tags/v1\nflush\n");
  EXPECT_EQ(
      LsRefs({.prefixes = {"refs/heads/s", "refs/heads/side", "refs/heads/zzz"}}, SampleRefs()),
      "<2> refs/heads/side\nflush\n");
  EXPECT_EQ(LsRefs({.prefixes = {"refs/heads/main/x"}}, SampleRefs()), "flush\n");
}

TEST(LsRefsTest, UnbornHeadIsToldToWhoeverAsksForIt) {
  const std::vector<AdvertisedRef> empty = {{.name = "HEAD",
                                             .id = ObjectId::Zero(ObjectFormat::kSha1),
                                             .symref_target = "refs/heads/main"}};

  EXPECT_EQ(LsRefs({.symrefs = true, .unborn = true}, empty),
            "unborn HEAD symref-target:refs/heads/main\nflush\n");
  EXPECT_EQ(LsRefs({.unborn = true}, empty), "flush\n");
  EXPECT_EQ(LsRefs({.symrefs = true}, empty), "flush\n");
  EXPECT_EQ(LsRefs({.symrefs = true, .unborn = true, .prefixes = {"refs/"}}, empty), "flush\n");
}

}  // namespace
}  // namespace quorate::git
