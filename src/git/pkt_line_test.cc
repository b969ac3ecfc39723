#include "git/pkt_line.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace quorate::git {
namespace {

// Everything the decoder says about `stream`, when it comes in pieces of `piece` bytes.
std::string Transcript(std::string_view stream, std::size_t piece) {
  PktLineDecoder decoder;
  std::string out;
  while (!stream.empty()) {
    std::string bytes(
        stream.substr(0, piece));  // A copy of its own, so that misuse is seen by ASan.
    stream.remove_prefix(bytes.size());
    std::string_view input = bytes;
    for (;;) {
      const Result<std::optional<Packet>> packet = decoder.Next(input);
      if (!packet) {
        return out + "error: " + packet.error().message();
      }
      if (!*packet) {
        EXPECT_TRUE(input.empty());
        break;
      }
      switch ((*packet)->kind) {
        case Packet::Kind::kData:
          out += "data(" + std::string((*packet)->payload) + ") ";
          break;
        case Packet::Kind::kFlush:
          out += "flush ";
          break;
        case Packet::Kind::kDelimiter:
          out += "delim ";
          break;
        case Packet::Kind::kResponseEnd:
          out += "end ";
          break;
      }
    }
  }
  const Status finished = decoder.Finish();
  return finished ? out : out + "error: " + finished.error().message();
}

TEST(PktLineDecoderTest, PacketsAreTheSameHoweverTheBytesArrive) {
  const std::string stream = "0006a\n0004000100020009hello0000";

  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    EXPECT_EQ(Transcript(stream, piece), "data(a\n) data() delim end data(hello) flush ");
  }
}

TEST(PktLineDecoderTest, LargestPacketPassesAndLargerIsRefused) {
  const std::string payload(kPktPayloadBytesMax, 'x');

  EXPECT_EQ(Transcript("fff0" + payload, 7000), "data(" + payload + ") ");
  EXPECT_EQ(Transcript("fff1" + payload + "x", 7000), "error: bad packet length 'fff1'");
  EXPECT_EQ(Transcript("fff1", 1), "error: bad packet length 'fff1'");
}

TEST(PktLineDecoderTest, MalformedLengthsAreRefused) {
  for (const std::size_t piece : {1u, 3u, 100u}) {
    EXPECT_EQ(Transcript("0003", piece), "error: bad packet length '0003'");
    EXPECT_EQ(Transcript("0000 008abcd", piece), "flush error: bad packet length ' 008'");
    EXPECT_EQ(Transcript("0x10", piece), "error: bad packet length '0x10'");
    EXPECT_EQ(Transcript("-001", piece), "error: bad packet length '-001'");
  }
}

TEST(PktLineDecoderTest, UpperCaseLengthsAreReadAsGitReadsThem) {
  EXPECT_EQ(Transcript("000Ahello\n", 2), "data(hello\n) ");
}

TEST(PktLineDecoderTest, EndWithinAPacketIsAnError) {
  EXPECT_EQ(Transcript("0000000", 1), "flush error: the stream ends within a packet");
  EXPECT_EQ(Transcript("0009hell", 3), "error: the stream ends within a packet");
}

TEST(PktLineDecoderTest, BytesBehindAPacketStayWithTheCaller) {
  PktLineDecoder decoder;
  std::string_view first = "00";
  std::string_view second = "00PACK";

  EXPECT_FALSE(decoder.Next(first).value().has_value());
  EXPECT_TRUE(decoder.Next(second).value().has_value());

  EXPECT_EQ(second, "PACK");
  EXPECT_TRUE(decoder.Finish());
}

TEST(PktLineEncoderTest, WritesEachKindOfPacket) {
  std::string out;
  AppendPacket(out, "hello\n");
  AppendPacket(out, "");
  AppendDelimiter(out);
  AppendResponseEnd(out);
  AppendFlush(out);
  AppendKeepalive(out);
  AppendErrorPacket(out, "no\nsuch thing");

  EXPECT_EQ(out, std::string("000ahello\n0004000100020000") + "0005\2" + "0015ERR no such thing");
}

TEST(PktLineEncoderTest, SidebandSplitsAtTheLimitOfTheClient) {
  std::string large;
  AppendSideband(large, Band::kData, std::string(kSidebandBytesMax + 1, 'x'));
  EXPECT_EQ(large.substr(0, 6), "fff0\1x");
  EXPECT_EQ(large.substr(kPktLineBytesMax), "0006\1x");

  std::string small;
  AppendSideband(small, Band::kProgress, std::string(996, 'y'), kSmallSidebandBytesMax);
  EXPECT_EQ(small.substr(0, 6), "03e8\2y");
  EXPECT_EQ(small.substr(1000), "0006\2y");

  std::string none;
  AppendSideband(none, Band::kData, "");
  EXPECT_EQ(none, "");
}

}  // namespace
}  // namespace quorate::git
