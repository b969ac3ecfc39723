#include "http/internal/transaction_name.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace quorate::http {
namespace {

const std::string kHex = "00112233445566778899AABBCCDDEEFF";

TEST(TransactionNameTest, TheHeaderAndThePushOptionNameIt) {
  const auto id = HexDecode(kHex);

  EXPECT_EQ(NamedTransaction("", {}).value(), std::nullopt);
  EXPECT_EQ(NamedTransaction("", {"ci.skip"}).value(), std::nullopt);
  EXPECT_EQ(NamedTransaction(kHex, {}).value(), id);
  EXPECT_EQ(NamedTransaction("", {"ci.skip", "transaction=" + kHex}).value(), id);
  EXPECT_EQ(NamedTransaction(kHex, {"transaction=00112233445566778899aabbccddeeff"}).value(), id);
}

TEST(TransactionNameTest, WhatIsNoIdOrNamesTwoIsRefused) {
  EXPECT_EQ(NamedTransaction("00", {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(NamedTransaction("", {"transaction="}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(NamedTransaction(kHex + "00", {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(NamedTransaction("", {"transaction=zz" + kHex.substr(2)}).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(NamedTransaction(kHex, {"transaction=" + std::string(32, '0')}).error().code(),
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace quorate::http
