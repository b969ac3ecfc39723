#include "txn/internal/state_codec.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "txn/internal/state_keys.h"
#include "txn/testing/world.h"

namespace quorate::txn::internal {
namespace {

RefValue Sha256Tag() {
  RefValue value;
  value.id = *git::ObjectId::FromRaw(git::ObjectFormat::kSha256, std::string(32, 'a'));
  value.peeled = *git::ObjectId::FromRaw(git::ObjectFormat::kSha256, std::string(32, 'b'));
  return value;
}

RefValue Symbolic() {
  RefValue value;
  value.symref = "refs/heads/main";
  return value;
}

TEST(StateCodecTest, EachFormOfAReferenceIsReadAgainAndItsPiecesAreRefused) {
  RefValue sha1_tag = ValueOf('A');
  sha1_tag.peeled = IdOf('B');
  RefValue sha256 = Sha256Tag();
  sha256.peeled.reset();

  for (const RefValue& value : {ValueOf('A'), sha1_tag, sha256, Sha256Tag(), Symbolic()}) {
    const std::string bytes = EncodeRefValue(value);
    EXPECT_EQ(DecodeRefValue(bytes).value(), value);
    if (value.symref.empty()) {
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(DecodeRefValue(bytes.substr(0, size)));
      }
      EXPECT_FALSE(DecodeRefValue(bytes + "x"));
    }
  }
  EXPECT_FALSE(DecodeRefValue(std::string(1, '\x05')));
  EXPECT_FALSE(DecodeRefValue("\x06" + std::string(20, 'a')));
  EXPECT_FALSE(DecodeRefValue(std::string(21, '\0')));
}

TEST(StateCodecTest, AnEventIsReadAgainAndItsPiecesAreRefused) {
  RefEvent event;
  event.lsn = Lsn{9};
  event.transaction_id = std::string(16, 'i');
  event.actor = "ann";
  event.time_unix_micros = -1;
  event.name = "refs/heads/main";
  event.after = ValueOf('A');
  event.push_options = {"", "two"};

  const std::string bytes = EncodeEvent(event);
  const RefEvent read = DecodeEvent(Lsn{9}, bytes).value();

  EXPECT_EQ(read.lsn, Lsn{9});
  EXPECT_EQ(read.transaction_id, event.transaction_id);
  EXPECT_EQ(read.actor, "ann");
  EXPECT_EQ(read.time_unix_micros, -1);
  EXPECT_EQ(read.name, event.name);
  EXPECT_EQ(read.before, std::nullopt);
  EXPECT_EQ(read.after, ValueOf('A'));
  EXPECT_EQ(read.push_options, event.push_options);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeEvent(Lsn{9}, bytes.substr(0, size)));
  }
  EXPECT_FALSE(DecodeEvent(Lsn{9}, bytes + "x"));
}

TEST(StateCodecTest, ATransactionIsReadAgain) {
  const CommittedTransaction ann{.lsn = Lsn{9}, .time_unix_micros = -1, .actor = "ann"};
  const std::string bytes = EncodeTransaction(ann);

  EXPECT_EQ(DecodeTransaction(bytes).value(), ann);
  EXPECT_FALSE(DecodeTransaction(bytes.substr(0, 16)));
  EXPECT_FALSE(DecodeTransaction("\x01" + bytes.substr(1)));
  EXPECT_FALSE(DecodeTransaction(""));
}

TEST(StateCodecTest, AConsumerIsReadAgain) {
  const Consumer consumer{.repository = RepositoryId{1},
                          .name = "c",
                          .acknowledged = Lsn{9},
                          .created = Lsn{7},
                          .lost_first = Lsn{10},
                          .lost_last = Lsn{12}};
  const std::string bytes = EncodeConsumer(consumer);

  EXPECT_EQ(DecodeConsumer(RepositoryId{1}, "c", bytes).value(), consumer);
  EXPECT_FALSE(DecodeConsumer(RepositoryId{1}, "c", bytes.substr(1)));
  EXPECT_FALSE(DecodeConsumer(RepositoryId{1}, "c", "\x02" + bytes.substr(1)));
  const auto key = ParseConsumerKey(ConsumerKey(PartitionId{7}, RepositoryId{1}, "c"));
  EXPECT_EQ(key->name, "c");
  EXPECT_EQ(key->repository, RepositoryId{1});
  EXPECT_FALSE(ParseConsumerKey(ConsumerKey(PartitionId{7}, RepositoryId{1}, "")));
}

TEST(StateCodecTest, ARepositoryIsReadAgain) {
  RepositoryInfo info;
  info.id = RepositoryId{3};
  info.format = git::ObjectFormat::kSha256;
  info.created = Lsn{8};
  info.ref_version = Lsn{12};
  info.head = Symbolic();

  const std::string bytes = EncodeRepository(info);
  const RepositoryInfo read = DecodeRepository(RepositoryId{3}, bytes).value();

  EXPECT_EQ(read.format, git::ObjectFormat::kSha256);
  EXPECT_EQ(read.created, Lsn{8});
  EXPECT_EQ(read.ref_version, Lsn{12});
  EXPECT_EQ(read.head, Symbolic());
  EXPECT_FALSE(DecodeRepository(RepositoryId{3}, bytes.substr(0, 18)));
  EXPECT_FALSE(DecodeRepository(RepositoryId{3}, "\x02" + bytes.substr(1)));
}

// The example of docs/formats/state.md.
TEST(StateCodecTest, TheBytesAreThoseOfTheDocument) {
  RefValue value;
  value.id = *git::ObjectId::FromRaw(git::ObjectFormat::kSha1, std::string(20, '\x11'));

  EXPECT_EQ(HexEncode(RefKey(PartitionId{7}, RepositoryId{1}, "refs/heads/main")),
            "0000000000000007"
            "52"
            "0000000000000001"
            "726566732f68656164732f6d61696e");
  EXPECT_EQ(HexEncode(EncodeRefValue(value)), "011111111111111111111111111111111111111111");
}

TEST(StateKeysTest, HistorySortsNewestFirst) {
  const auto key = [](std::uint64_t lsn, std::uint32_t index) {
    return HistoryKey(PartitionId{1}, RepositoryId{1}, Lsn{lsn}, index);
  };
  EXPECT_LT(key(300, 1), key(300, 0));
  EXPECT_LT(key(300, 0), key(299, 7));
  EXPECT_EQ(LsnOfHistoryKey(key(300, 1)), Lsn{300});
}

TEST(StateKeysTest, TheEndOfAPrefixIsBehindAllItsKeys) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
}

}  // namespace
}  // namespace quorate::txn::internal
