#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"

namespace quorate {
namespace {

TEST(Crc32cTest, KnownAnswers) {  // RFC 3720, appendix B.4, and the usual check value.
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Crc32cTest, TableAndInstructionAgreeAndContinue) {
  Prng prng(5);
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(Crc32c(bytes), Crc32cPortable(bytes));
    const std::size_t cut = prng.Below(bytes.size() + 1);
    EXPECT_EQ(Crc32c(bytes.substr(cut), Crc32c(bytes.substr(0, cut))), Crc32c(bytes));
    bytes.push_back(static_cast<char>(prng.Below(256)));
  }
}

}  // namespace
}  // namespace quorate
