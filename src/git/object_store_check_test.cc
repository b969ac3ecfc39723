#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "git/object_store.h"
#include "git/testing/object_store_fixture.h"

namespace quorate::git {
namespace {

// Which packs are taken, and what is said of the others.
class PackCheckTest : public ObjectStoreFixture {};

TEST_P(PackCheckTest, ThinPackIsCheckedAndInstalledAgainstTheStore) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  const SmallPush first = Small(text);
  Install(first.pack);
  PackBuilder builder(GetParam());
  const ObjectId blob = builder.ReferenceDelta(ObjectType::kBlob, text, text + "more\n");
  const ObjectId tree = builder.Tree({{"100644", "file", blob}});
  const ObjectId commit = builder.Commit({.tree = tree, .parents = {first.commit}});
  const PackRecord record = Install(builder.Finish());

  EXPECT_EQ(store_->Read(blob).value().content, text + "more\n");
  EXPECT_TRUE(store_->Install(record, nullptr));
  ExpectSound({commit});
}

TEST_P(PackCheckTest, LargeThinPackIsCompleted) {
  const SmallPush first = Small(std::string(5000, 'x'));
  Install(first.pack);
  PackBuilder builder(GetParam());
  std::vector<TreeItem> items;
  for (int i = 1000; i < 1200; ++i) {
    const std::string name = std::to_string(i);
    items.push_back({"100644", name,
                     builder.ReferenceDelta(ObjectType::kBlob, std::string(5000, 'x'),
                                            std::string(5000, 'x') + name)});
  }
  const ObjectId commit = builder.Commit({.tree = builder.Tree(items), .parents = {first.commit}});
  Install(builder.Finish());
  EXPECT_EQ(Packs(), 1U);
  ExpectSound({commit});
}

TEST_P(PackCheckTest, EmptyPackIsLegal) {
  const PackRecord record = Install(SealPack(GetParam(), 0, ""));
  EXPECT_EQ(record.objects, 0U);
  EXPECT_TRUE(store_->Install(record, nullptr));
  EXPECT_TRUE(NothingIsLeft());
}

// Whichever way a pack takes, what it refers to must exist, and be what it should.
TEST_P(PackCheckTest, ClosureIsChecked) {
  for (const bool small : {true, false}) {
    options_.inline_bytes_max = small ? 128 << 10 : 20;
    Reopen();
    const SmallPush push = Small("hello\n");
    const ObjectId nowhere = IdOf(GetParam(), ObjectType::kBlob, "nowhere");

    PackBuilder no_blob(GetParam());
    no_blob.Commit({.tree = no_blob.Tree({{"100644", "file", nowhere}}), .parents = {}});
    EXPECT_EQ(Refusal(no_blob.Finish()),
              "invalid_argument: did not receive expected object " + nowhere.ToHex());

    PackBuilder no_tree(GetParam());
    no_tree.Commit({.tree = nowhere, .parents = {}});
    EXPECT_EQ(Refusal(no_tree.Finish()),
              "invalid_argument: did not receive expected object " + nowhere.ToHex());

    PackBuilder no_parent(GetParam());
    no_parent.Commit({.tree = no_parent.Tree({}), .parents = {nowhere}});
    EXPECT_EQ(Refusal(no_parent.Finish()),
              "invalid_argument: did not receive expected object " + nowhere.ToHex());

    PackBuilder no_target(GetParam());
    no_target.Tag({.target = nowhere, .type = ObjectType::kBlob, .name = "v1"});
    EXPECT_EQ(Refusal(no_target.Finish()),
              "invalid_argument: did not receive expected object " + nowhere.ToHex());

    PackBuilder wrong_type(GetParam());
    const ObjectId blob = wrong_type.Blob("x");
    wrong_type.Commit({.tree = blob, .parents = {}});
    EXPECT_NE(Refusal(wrong_type.Finish()), "none");

    EXPECT_TRUE(NothingIsLeft());
  }
}

TEST_P(PackCheckTest, WrongTypeInTheStoreIsRefused) {
  for (const bool small : {true, false}) {
    const SmallPush push = Small("hello\n");
    Install(push.pack);
    options_.inline_bytes_max = small ? 128 << 10 : 20;
    Reopen();
    PackBuilder builder(GetParam());
    builder.Commit({.tree = push.blob, .parents = {}});
    EXPECT_EQ(Refusal(builder.Finish()),
              "invalid_argument: object " + push.blob.ToHex() + ": expected type tree, found blob");
  }
}

TEST_P(PackCheckTest, ReferencesIntoTheStoreAreEnough) {
  const SmallPush push = Small("hello\n");
  Install(push.pack);
  ObjectId tip;
  for (const bool small : {true, false}) {
    options_.inline_bytes_max = small ? 128 << 10 : 20;
    Reopen();
    PackBuilder builder(GetParam());
    tip = builder.Commit(
        {.tree = push.tree, .parents = {push.commit}, .message = small ? "one\n" : "two\n"});
    Install(builder.Finish());
    EXPECT_TRUE(Has(tip));
  }
  ExpectSound({tip});
}

TEST_P(PackCheckTest, MalformedObjectsAreRefusedEitherWay) {
  for (const bool small : {true, false}) {
    options_.inline_bytes_max = small ? 128 << 10 : 20;
    Reopen();
    PackBuilder dot_git(GetParam());
    dot_git.Tree({{"100644", ".git", dot_git.Blob("x")}});
    EXPECT_NE(Refusal(dot_git.Finish()).find("hasDotgit: contains '.git'"), std::string::npos);

    PackBuilder no_date(GetParam());
    no_date.Commit(
        {.tree = no_date.Tree({}), .parents = {}, .message = "x", .identity = "A <a> x"});
    EXPECT_NE(Refusal(no_date.Finish()).find("badDate"), std::string::npos);
  }
  EXPECT_TRUE(NothingIsLeft());
}

TEST_P(PackCheckTest, FilesWithAMeaningToGitAreJudgedByGit) {
  const auto modules = [](std::string_view url, const char* mode) {
    PackBuilder builder(GetParam());
    const ObjectId blob =
        builder.Blob("[submodule \"a\"]\n\tpath = a\n\turl = " + std::string(url) + "\n");
    builder.Commit({.tree = builder.Tree({{mode, ".gitmodules", blob}}), .parents = {}});
    return builder.Finish();
  };
  EXPECT_NE(Refusal(modules("-u./payload", "100644")).find("gitmodulesUrl"), std::string::npos);
  EXPECT_NE(Refusal(modules("https://example.com/a", "120000")).find("gitmodulesSymlink"),
            std::string::npos);
  EXPECT_TRUE(NothingIsLeft());
  EXPECT_EQ(Refusal(modules("https://example.com/a", "100644")), "none");

  // Approved under one name is not approved under another.
  PackBuilder attributes(GetParam());
  const ObjectId blob = attributes.Blob("[submodule \"a\"]\n\tpath = a\n\turl = -u./payload\n");
  attributes.Commit({.tree = attributes.Tree({{"100644", ".gitattributes", blob}}), .parents = {}});
  EXPECT_EQ(Refusal(attributes.Finish()), "none");
  EXPECT_NE(Refusal(modules("-u./payload", "100644")).find("gitmodulesUrl"), std::string::npos);

  // The same file again needs no process, and still none of its kind gets through.
  EXPECT_EQ(Refusal(modules("https://example.com/a", "100644")), "none");
  EXPECT_NE(Refusal(modules("https://example.com/a", "120000")).find("gitmodulesSymlink"),
            std::string::npos);
  Install(modules("https://example.com/a", "100644"));
  ExpectSound({});
}

// Every kind of damage, on both ways, is refused and leaves nothing.
TEST_P(PackCheckTest, DamagedPacksAreRefused) {
  const std::string sound = Small("hello\n").pack;
  const std::string entries = sound.substr(12, sound.size() - 12 - RawSize(GetParam()));
  const std::string huge = EntryHead(2, std::uint64_t{1} << 40) + "x";
  std::string flipped = sound;
  flipped[20] = static_cast<char>(flipped[20] ^ 0x10);
  std::string checksum = sound;
  checksum.back() = static_cast<char>(checksum.back() ^ 1);
  std::string version = sound;
  version[7] = 9;
  const std::vector<std::string> packs = {
      "",
      "PACK",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      sound.substr(0, sound.size() - 1),
      sound.substr(0, 40),
      sound + "x",
      sound + sound,
      flipped,
      checksum,
      version,
      SealPack(GetParam(), 2, entries),
      SealPack(GetParam(), 4, entries),
      SealPack(GetParam(), 1, huge),
      SealPack(GetParam(), 0xffffffff, entries),
      SealPack(GetParam(), 2,
               WholeEntry(ObjectType::kBlob, "x") + WholeEntry(ObjectType::kBlob, "x")),
  };
  for (const bool small : {true, false}) {
    options_.inline_bytes_max = small ? 128 << 10 : 20;
    Reopen();
    for (const std::string& pack : packs) {
      const std::string refusal = Refusal(pack);
      EXPECT_EQ(refusal.substr(0, 18), "invalid_argument: ")
          << testing::PrintToString(pack) << small << refusal;
      EXPECT_LT(refusal.size(), 400U);
      EXPECT_TRUE(NothingIsLeft());
    }
  }
}

TEST_P(PackCheckTest, LimitsAreRefusedEarlyAndClearly) {
  options_.pack_bytes_max = 1000000;
  options_.object_bytes_max = 1 << 20;
  Reopen();
  EXPECT_EQ(
      Refusal(SealPack(GetParam(), 200000, "")),
      "invalid_argument: pack declares 200000 objects, which do not fit into the largest pack");
  EXPECT_EQ(Refusal(Large(11, 100000)), "invalid_argument: pack is larger than 1000000 bytes");
  // A few KiB that inflate to more than an object may have.
  PackBuilder bomb(GetParam());
  bomb.Blob(std::string(4 << 20, '\0'));
  EXPECT_EQ(Refusal(bomb.Finish()), "invalid_argument: an object is larger than 1048576 bytes");
  EXPECT_TRUE(NothingIsLeft());
}

TEST_P(PackCheckTest, UnpackedTooLargeForMemoryGoesToGit) {
  PackBuilder builder(GetParam());
  const ObjectId blob = builder.Blob(std::string(17 << 20, 'x'));
  const ObjectId commit =
      builder.Commit({.tree = builder.Tree({{"100644", "file", blob}}), .parents = {}});
  const PackRecord record = Install(builder.Finish());
  EXPECT_FALSE(record.inline_bytes.empty());
  EXPECT_EQ(Packs(), 1U);
  EXPECT_EQ(store_->Read(blob).value().content.size(), std::size_t{17} << 20);
  EXPECT_TRUE(store_->Install(record, nullptr));
  ExpectSound({commit});
}

TEST_P(PackCheckTest, TargetsAreResolvedInPackAndStore) {
  const SmallPush push = Small("hello\n");
  Install(push.pack);
  for (const bool small : {true, false}) {
    options_.inline_bytes_max = small ? 128 << 10 : 20;
    Reopen();
    PackBuilder builder(GetParam());
    const std::string name = small ? "small" : "large";
    const ObjectId inner =
        builder.Tag({.target = push.commit, .type = ObjectType::kCommit, .name = name});
    const ObjectId outer = builder.Tag({.target = inner, .type = ObjectType::kTag, .name = name});
    auto quarantined = Receive(builder.Finish()).value();

    const PackReceiver::Target tag = receiver_->Resolve(outer).value();
    EXPECT_EQ(tag.type, ObjectType::kTag);
    EXPECT_EQ(tag.peeled, push.commit);
    const PackReceiver::Target commit = receiver_->Resolve(push.commit).value();
    EXPECT_EQ(commit.type, ObjectType::kCommit);
    EXPECT_EQ(commit.peeled, std::nullopt);
    const ObjectId nowhere = IdOf(GetParam(), ObjectType::kBlob, "nowhere");
    EXPECT_EQ(receiver_->Resolve(nowhere).error().code(), Code::kNotFound);
    EXPECT_EQ(store_->Resolve(outer).error().code(), Code::kNotFound);

    ASSERT_TRUE(quarantined->Persist());
    const PackRecord record = quarantined->record();
    ASSERT_TRUE(store_->Install(record, std::move(quarantined)));
    EXPECT_EQ(store_->Resolve(outer).value().peeled, push.commit);
    EXPECT_EQ(store_->Resolve(push.blob).value().type, ObjectType::kBlob);
  }
}

TEST_P(PackCheckTest, ProgressIsForPeople) {
  const auto progress_of = [this](std::string_view pack) {
    std::string progress;
    const std::unique_ptr<PackReceiver> receiver = store_->NewReceiver();
    receiver->OnProgress([&progress](std::string_view line) { progress += line; });
    EXPECT_TRUE(receiver->Write(pack));
    EXPECT_TRUE(receiver->Finish());
    return progress;
  };

  EXPECT_NE(progress_of(Small("hello\n").pack).find("(3/3)"), std::string::npos);
  EXPECT_NE(progress_of(Large(3, 100000)).find("Receiving objects: 100% (5/5)"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Formats, PackCheckTest, kBothFormats, NameOfFormat);

}  // namespace
}  // namespace quorate::git
