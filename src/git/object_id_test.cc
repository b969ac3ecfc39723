#include "git/object_id.h"

#include <gtest/gtest.h>

namespace quorate::git {
namespace {

constexpr std::string_view kSha1Hex = "0123456789abcdef0123456789abcdef01234567";

TEST(ObjectIdTest, HexAndRawAreTheSameId) {
  const std::optional<ObjectId> id = ObjectId::FromHex(ObjectFormat::kSha1, kSha1Hex);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->ToHex(), kSha1Hex);
  EXPECT_EQ(id->raw().substr(0, 4), "\x01\x23\x45\x67");
  EXPECT_EQ(ObjectId::FromRaw(ObjectFormat::kSha1, id->raw()), id);
}

TEST(ObjectIdTest, UpperCaseDigitsAreReadAndPrintedLower) {
  const auto id =
      ObjectId::FromHex(ObjectFormat::kSha1, "0123456789ABCDEF0123456789ABCDEF01234567");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->ToHex(), kSha1Hex);
}

TEST(ObjectIdTest, OnlyTheFormatsOwnSizeIsAnId) {
  const std::string hex(kSha1Hex);
  EXPECT_FALSE(ObjectId::FromHex(ObjectFormat::kSha1, hex.substr(1)));
  EXPECT_FALSE(ObjectId::FromHex(ObjectFormat::kSha1, hex + "0"));
  EXPECT_FALSE(ObjectId::FromHex(ObjectFormat::kSha256, hex));
  EXPECT_FALSE(ObjectId::FromHex(ObjectFormat::kSha1, hex.substr(1) + "g"));
  EXPECT_FALSE(ObjectId::FromRaw(ObjectFormat::kSha1, std::string(32, 'x')));
  EXPECT_FALSE(ObjectId::FromRaw(ObjectFormat::kSha256, std::string(20, 'x')));
  EXPECT_TRUE(ObjectId::FromHex(ObjectFormat::kSha256, std::string(64, 'a')));
}

TEST(ObjectIdTest, ZeroKnowsItsFormat) {
  EXPECT_TRUE(ObjectId().IsZero());
  EXPECT_EQ(ObjectId(), ObjectId::Zero(ObjectFormat::kSha1));
  EXPECT_TRUE(ObjectId::Zero(ObjectFormat::kSha256).IsZero());
  EXPECT_NE(ObjectId(), ObjectId::Zero(ObjectFormat::kSha256));
  EXPECT_EQ(ObjectId::Zero(ObjectFormat::kSha256).ToHex(), std::string(64, '0'));
  EXPECT_FALSE(ObjectId::FromHex(ObjectFormat::kSha1, kSha1Hex)->IsZero());
}

TEST(ObjectIdTest, OrderIsByteOrder) {
  const auto low = ObjectId::FromHex(ObjectFormat::kSha1, std::string(40, '1'));
  const auto high = ObjectId::FromHex(ObjectFormat::kSha1, std::string(40, 'f'));
  EXPECT_LT(*low, *high);
}

TEST(ObjectFormatTest, NamesAreThoseOfTheCapability) {
  EXPECT_EQ(FormatName(ObjectFormat::kSha1), "sha1");
  EXPECT_EQ(FormatName(ObjectFormat::kSha256), "sha256");
  EXPECT_EQ(ParseFormatName("sha256"), ObjectFormat::kSha256);
  EXPECT_EQ(ParseFormatName("sha1"), ObjectFormat::kSha1);
  EXPECT_FALSE(ParseFormatName("SHA1"));
  EXPECT_FALSE(ParseFormatName(""));
}

}  // namespace
}  // namespace quorate::git
