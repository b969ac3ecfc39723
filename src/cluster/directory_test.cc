#include "cluster/directory.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace quorate::cluster {
namespace {

using State = DirectoryRecord::State;

// The worked bytes of docs/formats/directory.md.
TEST(DirectoryRecordTest, BytesAreAsDocumented) {
  const DirectoryRecord record{.state = State::kReady,
                               .format = git::ObjectFormat::kSha256,
                               .partition = PartitionId{0x0102},
                               .default_branch = "refs/heads/main"};

  EXPECT_EQ(HexEncode(record.Encode()), "0102020000000000000102726566732f68656164732f6d61696e");
  EXPECT_EQ(DirectoryRecord::Decode(record.Encode()).value(), record);
}

TEST(DirectoryRecordTest, RefusesWhatItDidNotWrite) {
  const std::string good = DirectoryRecord{.partition = PartitionId{2}}.Encode();
  ASSERT_TRUE(DirectoryRecord::Decode(good));
  const auto changed = [&](std::size_t at, char to) {
    std::string bytes = good;
    bytes[at] = to;
    return bytes;
  };

  for (const std::string& bad : {std::string(), good.substr(0, 10), changed(0, 2), changed(1, 0),
                                 changed(1, 4), changed(2, 0), changed(2, 3), changed(10, 1)}) {
    const Result<DirectoryRecord> decoded = DirectoryRecord::Decode(bad);
    ASSERT_FALSE(decoded) << HexEncode(bad);
    EXPECT_EQ(decoded.error().code(), Code::kCorruption);
  }
}

}  // namespace
}  // namespace quorate::cluster
