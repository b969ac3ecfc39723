#include "txn/internal/entry_codec.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "txn/testing/world.h"

namespace quorate::txn::internal {
namespace {

LogRecord FullRecord() {
  LogRecord record;
  record.transaction_id =
      std::string("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
  record.actor = "ann\xff";  // Not text.
  record.time_unix_micros = 1'000'000;
  RefValue tag = ValueOf('T');
  tag.peeled = IdOf('P');
  RefValue symbolic;
  symbolic.symref = "refs/heads/main";
  record.changes.emplace_back(RepositoryCreate{.repository = RepositoryId{2},
                                               .format = git::ObjectFormat::kSha256,
                                               .default_branch = "refs/heads/trunk"});
  record.changes.emplace_back(RepositoryDelete{.repository = RepositoryId{3}});
  record.changes.emplace_back(RefChange{.repository = RepositoryId{1},
                                        .name = "refs/tags/\xe9",
                                        .before = ValueOf('A'),
                                        .after = tag});
  record.changes.emplace_back(RefChange{
      .repository = RepositoryId{1}, .name = "refs/heads/gone", .before = symbolic, .after = {}});
  record.changes.emplace_back(
      HeadChange{.repository = RepositoryId{1}, .before = symbolic, .after = ValueOf('D')});
  record.changes.emplace_back(KeyChange{.key = "k", .before = "", .after = std::nullopt});
  record.changes.emplace_back(PackAdd{
      .repository = RepositoryId{1},
      .pack = {.digest = Sha256("bytes"), .size = 5, .objects = 3, .inline_bytes = "bytes"}});
  record.changes.emplace_back(ConfigChange{.repository = RepositoryId{1},
                                           .name = "branch.Main.merge",
                                           .before = {},
                                           .after = {"a", "", "\n"}});
  record.push_options = {"one", ""};
  return record;
}

TEST(EntryCodecTest, WhatIsEncodedIsReadAgain) {
  const LogRecord record = DecodeRecord(EncodeRecord(FullRecord())).value();

  EXPECT_EQ(record.actor, "ann\xff");
  EXPECT_EQ(record.time_unix_micros, 1'000'000);
  EXPECT_EQ(record.push_options, (std::vector<std::string>{"one", ""}));
  ASSERT_EQ(record.changes.size(), 8u);
  EXPECT_EQ(std::get<RepositoryCreate>(record.changes[0]).format, git::ObjectFormat::kSha256);
  EXPECT_EQ(std::get<RepositoryDelete>(record.changes[1]).repository, RepositoryId{3});
  const auto& tag = std::get<RefChange>(record.changes[2]);
  EXPECT_EQ(tag.before, ValueOf('A'));
  EXPECT_EQ(tag.after->peeled, IdOf('P'));
  const auto& gone = std::get<RefChange>(record.changes[3]);
  EXPECT_EQ(gone.before->symref, "refs/heads/main");
  EXPECT_FALSE(gone.after);
  EXPECT_EQ(std::get<HeadChange>(record.changes[4]).after, ValueOf('D'));
  const auto& key = std::get<KeyChange>(record.changes[5]);
  EXPECT_EQ(key.before, "");  // Empty is not absent.
  EXPECT_FALSE(key.after);
  EXPECT_EQ(std::get<PackAdd>(record.changes[6]).pack.inline_bytes, "bytes");
  const auto& config = std::get<ConfigChange>(record.changes[7]);
  EXPECT_EQ(config.name, "branch.Main.merge");
  EXPECT_TRUE(config.before.empty());
  EXPECT_EQ(config.after, (std::vector<std::string>{"a", "", "\n"}));
}

TEST(EntryCodecTest, ANameOfTheConfigurationThatIsNotCanonicalIsRefused) {
  for (const char* name : {"Core.x", "core", ""}) {
    LogRecord record;
    record.transaction_id = FullRecord().transaction_id;
    record.changes.emplace_back(
        ConfigChange{.repository = RepositoryId{1}, .name = name, .before = {}, .after = {"1"}});
    EXPECT_FALSE(DecodeRecord(EncodeRecord(std::move(record)))) << name;
  }
}

TEST(EntryCodecTest, AConsumersChangeIsReadAgainAndItsLsnsAreThoseOfItsEntry) {
  const RepositoryId repository{1};
  const Consumer before{
      .repository = repository, .name = "c", .acknowledged = Lsn{9}, .created = Lsn{7}};
  Consumer cut = before;
  cut.lost_first = Lsn{10};
  LogRecord record = FullRecord();
  record.changes = {
      ConsumerChange{.repository = repository,
                     .name = "new",
                     .before = {},
                     .after = Consumer{.repository = repository, .name = "new"}},
      ConsumerChange{.repository = repository, .name = "c", .before = before, .after = cut},
      ConsumerChange{.repository = repository, .name = "c", .before = before, .after = {}}};

  const LogRecord read = DecodeRecord(EncodeRecord(std::move(record))).value();

  const Consumer made = AtEntry(*std::get<ConsumerChange>(read.changes[0]).after, Lsn{20});
  EXPECT_EQ(made.created, Lsn{20});
  EXPECT_EQ(made.acknowledged, Lsn{20});
  EXPECT_FALSE(made.cut_off());
  EXPECT_EQ(std::get<ConsumerChange>(read.changes[1]).before, before);
  const Consumer lost = AtEntry(*std::get<ConsumerChange>(read.changes[1]).after, Lsn{20});
  EXPECT_EQ(lost.created, Lsn{7});
  EXPECT_EQ(lost.lost_first, Lsn{10});
  EXPECT_EQ(lost.lost_last, Lsn{20});
  EXPECT_FALSE(std::get<ConsumerChange>(read.changes[2]).after);
}

// The worked example of docs/formats/log_entry.md.
TEST(EntryCodecTest, TheBytesAreThoseOfTheDocument) {
  LogRecord record;
  record.transaction_id = FullRecord().transaction_id;
  record.actor = "ann";
  record.time_unix_micros = 1'000'000;
  RefValue value;
  value.id = *git::ObjectId::FromRaw(git::ObjectFormat::kSha1, std::string(20, '\x11'));
  record.changes.emplace_back(RefChange{
      .repository = RepositoryId{1}, .name = "refs/heads/main", .before = {}, .after = value});

  EXPECT_EQ(HexEncode(EncodeRecord(std::move(record))),
            "0801"
            "1210000102030405060708090a0b0c0d0e0f"
            "1a03616e6e"
            "20c0843d"
            "2a2d0a2b0801120f726566732f68656164732f6d61696e"
            "22160a141111111111111111111111111111111111111111");
}

void ExpectRefused(std::string data, std::string_view why) {
  const Result<LogRecord> record = DecodeRecord(data);
  ASSERT_FALSE(record) << why;
  EXPECT_EQ(record.error().code(), Code::kCorruption);
  EXPECT_NE(record.error().message().find(why), std::string::npos) << record.error().message();
}

TEST(EntryCodecTest, WhatIsNotKnownOrNotSoundIsRefused) {
  const std::string id = "\x12\x10" + std::string(16, 'i');
  ExpectRefused("\xff\xff", "not readable");
  ExpectRefused("\x08\x02" + id, "format 2");
  ExpectRefused(id, "format 0");
  ExpectRefused("\x08\x01\x12\x02id", "16 bytes");
  ExpectRefused("\x08\x01" + id + std::string("\x2a\x03\xba\x01\x00", 5), "kind of change");
  ExpectRefused("\x08\x01" + id + std::string("\x2a\x02\x0a\x00", 4), "repository 0");
  const auto with = [](Change change) {
    LogRecord record;
    record.transaction_id = std::string(16, 'i');
    record.changes.push_back(std::move(change));
    return EncodeRecord(std::move(record));
  };
  const RepositoryId one{1};
  ExpectRefused(with(RefChange{.repository = one, .name = "HEAD", .before = {}, .after = {}}),
                "name is not valid");
  ExpectRefused(
      with(RefChange{.repository = one, .name = "refs/heads/a", .before = {}, .after = RefValue()}),
      "object id");
  ExpectRefused(
      with(RepositoryCreate{
          .repository = one, .format = git::ObjectFormat::kSha1, .default_branch = "main"}),
      "default branch");
  ExpectRefused(with(PackAdd{.repository = one,
                             .pack = {.digest = {}, .size = 9, .objects = 1, .inline_bytes = "x"}}),
                "has not its size");
}

}  // namespace
}  // namespace quorate::txn::internal
