#include "git/push_report.h"

#include <gtest/gtest.h>

#include <string>

#include "git/pkt_line.h"

namespace quorate::git {
namespace {

ObjectId Id(char digit) {
  return *ObjectId::FromHex(ObjectFormat::kSha1, std::string(40, digit));
}

PushReport SampleReport() {
  PushReport report;
  report.commands.push_back({.ref = "refs/heads/main"});
  report.commands.push_back({.ref = "refs/heads/old", .refusal = std::string(reason::kFetchFirst)});
  report.commands.push_back({.ref = "refs/for/main",
                             .actual_ref = "refs/changes/1",
                             .actual_old_id = Id('1'),
                             .actual_new_id = Id('2'),
                             .forced_update = true});
  return report;
}

const std::string kSampleV1 =
    "000eunpack ok\n"
    "0017ok refs/heads/main\n"
    "0022ng refs/heads/old fetch first\n"
    "0015ok refs/for/main\n"
    "0000";

TEST(PushReportTest, PlainReportStatus) {
  EXPECT_EQ(RenderPushReport({.report_status = true}, SampleReport()), kSampleV1);
}

TEST(PushReportTest, SecondVersionTellsWhatWasDoneInstead) {
  EXPECT_EQ(RenderPushReport({.report_status = true, .report_status_v2 = true}, SampleReport()),
            "000eunpack ok\n"
            "0017ok refs/heads/main\n"
            "0022ng refs/heads/old fetch first\n"
            "0015ok refs/for/main\n"
            "0022option refname refs/changes/1\n"
            "003coption old-oid 1111111111111111111111111111111111111111\n"
            "003coption new-oid 2222222222222222222222222222222222222222\n"
            "0019option forced-update\n"
            "0000");
}

TEST(PushReportTest, SidebandWrapsTheReportAndEndsWithAFlush) {
  EXPECT_EQ(RenderPushReport({.report_status = true, .side_band_64k = true}, SampleReport()),
            "0065\1" + kSampleV1 + "0000");
}

TEST(PushReportTest, WithoutReportStatusNothingIsSaid) {
  EXPECT_EQ(RenderPushReport({}, SampleReport()), "");
  EXPECT_EQ(RenderPushReport({.side_band_64k = true}, SampleReport()), "0000");
}

TEST(PushReportTest, UnpackErrorIsOneLine) {
  PushReport report;
  report.unpack_error = "index-pack failed:\npack is corrupted\n";
  report.commands.push_back(
      {.ref = "refs/heads/a", .refusal = std::string(reason::kUnpackerError)});

  EXPECT_EQ(RenderPushReport({.report_status = true}, report),
            "0030unpack index-pack failed: pack is corrupted\n"
            "0023ng refs/heads/a unpacker error\n"
            "0000");
}

TEST(PushReportTest, LargeReportIsSplitIntoSidebandPackets) {
  PushReport report;
  for (int i = 0; i < 5000; ++i) {
    report.commands.push_back({.ref = "refs/heads/branch-" + std::to_string(i)});
  }

  std::string out = RenderPushReport({.report_status = true, .side_band_64k = true}, report);

  std::string_view rest = out;
  std::string inner;
  for (;;) {
    const std::optional<Packet> packet = TakePacket(rest).value();
    ASSERT_TRUE(packet);
    if (packet->kind == Packet::Kind::kFlush) {
      break;
    }
    ASSERT_EQ(packet->payload.front(), '\1');
    inner += packet->payload.substr(1);
  }
  EXPECT_EQ(rest, "");
  EXPECT_EQ(inner, RenderPushReport({.report_status = true}, report));
}

TEST(PushReportTest, AbsurdlyLongNamesAndReasonsAreCutToFitAPacket) {
  PushReport report;
  report.unpack_error = std::string(100'000, 'e');
  report.commands.push_back({.ref = std::string(100'000, 'r')});
  report.commands.push_back(
      {.ref = std::string(100'000, 'r'), .refusal = std::string(100'000, 'w')});

  std::string out = RenderPushReport({.report_status = true}, report);

  std::string_view rest = out;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(TakePacket(rest).value().has_value());
  }
  EXPECT_EQ(rest, "");
}

TEST(PushReportTest, FailureAsAWholeGoesToTheErrorBandOrIntoAnErrorPacket) {
  EXPECT_EQ(RenderPushFailure({.side_band_64k = true}, "outcome unknown"),
            "0015\3outcome unknown\n0000");
  EXPECT_EQ(RenderPushFailure({}, "outcome unknown"), "0017ERR outcome unknown");
}

}  // namespace
}  // namespace quorate::git
