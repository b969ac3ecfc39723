#include "http/internal/uri.h"

#include <gtest/gtest.h>

namespace quorate::http {
namespace {

TEST(Uri, EscapesAreDecodedOnce) {
  EXPECT_EQ(PercentDecode("a%2Fb"), "a/b");
  EXPECT_EQ(PercentDecode("a%252Fb"), "a%2Fb");
  EXPECT_EQ(PercentDecode(""), "");
}

TEST(Uri, MalformedEscapesAreRefused) {
  EXPECT_EQ(PercentDecode("%"), std::nullopt);
  EXPECT_EQ(PercentDecode("a%2"), std::nullopt);
  EXPECT_EQ(PercentDecode("%zz"), std::nullopt);
}

TEST(Uri, QueryValuesAreFoundByTheirWholeName) {
  constexpr std::string_view kQuery = "reference=x&ref=refs%2Fheads%2Fmain&limit=5&ref=second&bare";

  EXPECT_EQ(FindQueryValue(kQuery, "ref"), "refs/heads/main");
  EXPECT_EQ(FindQueryValue(kQuery, "limit"), "5");
  EXPECT_EQ(FindQueryValue(kQuery, "bare"), std::nullopt);
  EXPECT_EQ(FindQueryValue("", "ref"), std::nullopt);
}

TEST(Uri, MediaTypesAreComparedWithoutCaseAndParameters) {
  EXPECT_EQ(MediaType("Application/JSON ; charset=utf-8"), "application/json");
  EXPECT_EQ(MediaType(""), "");
}

}  // namespace
}  // namespace quorate::http
