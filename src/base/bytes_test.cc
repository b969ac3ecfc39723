#include "base/bytes.h"

#include <gtest/gtest.h>

namespace quorate {
namespace {

TEST(BytesTest, BigEndianSortsAsNumbers) {
  std::string small;
  std::string large;
  AppendBigEndian64(small, 0xff);
  AppendBigEndian64(large, 0x0100);

  EXPECT_LT(small, large);
  EXPECT_EQ(ReadBigEndian64(small), 0xffU);
  EXPECT_EQ(ReadBigEndian64(large), 0x100U);
}

TEST(BytesTest, BigEndian32KeepsEveryBit) {
  std::string bytes;
  AppendBigEndian32(bytes, 0x80ff0102U);

  EXPECT_EQ(bytes.size(), 4U);
  EXPECT_EQ(ReadBigEndian32(bytes), 0x80ff0102U);
}

TEST(BytesTest, HexRoundTripsAndRefusesWhatIsNotHex) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(HexDecode("007fFF"), std::string("\x00\x7f\xff", 3));
  EXPECT_EQ(HexDecode("0"), std::nullopt);
  EXPECT_EQ(HexDecode("0g"), std::nullopt);
}

TEST(BytesTest, PrintableEscapesControlBytesAndCuts) {
  EXPECT_EQ(Printable("a\nb\\"), "a\\x0ab\\x5c");
  EXPECT_EQ(Printable("abcdef", 3), "abc... (6 bytes)");
}

}  // namespace
}  // namespace quorate
