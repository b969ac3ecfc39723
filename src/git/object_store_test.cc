#include "git/object_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fault_point.h"
#include "base/prng.h"
#include "env/posix/child.h"
#include "env/posix/file_system.h"
#include "env/random.h"
#include "git/testing/git_repo.h"
#include "git/testing/pack_builder.h"

namespace quorate::git {
namespace {

namespace fs = std::filesystem;

class SharedRandom final : public env::Random {
 public:
  std::uint64_t Next() override {
    const std::lock_guard lock(mutex_);
    return prng_.Next();
  }

 private:
  std::mutex mutex_;
  Prng prng_{1};
};

class ObjectStoreTest : public ::testing::TestWithParam<ObjectFormat> {
 protected:
  ObjectStoreTest() { Reopen(); }
  ~ObjectStoreTest() override { static_cast<void>(ArmFaultPoints("")); }

  std::string root() const { return directory_.path() + "/1"; }

  void Reopen() {
    store_.reset();
    store_ = ObjectStore::Open(root(), GetParam(), files_, children_, random_, options_).value();
  }

  // Feeds a pack in pieces of `piece` bytes, and finishes it.
  Result<std::unique_ptr<QuarantinedPack>> Receive(std::string_view pack, std::size_t piece = 700) {
    receiver_ = store_->NewReceiver();
    for (std::size_t at = 0; at < pack.size(); at += piece) {
      QUORATE_TRY(receiver_->Write(pack.substr(at, piece)));
    }
    return receiver_->Finish();
  }
  std::string Refusal(std::string_view pack) {
    const Result<std::unique_ptr<QuarantinedPack>> received = Receive(pack);
    const std::string message = received ? "none"
                                         : std::string(CodeName(received.error().code())) + ": " +
                                               received.error().message();
    receiver_.reset();
    return message;
  }
  PackRecord Install(std::string_view pack) {
    std::unique_ptr<QuarantinedPack> quarantined = Receive(pack).value();
    receiver_.reset();
    EXPECT_TRUE(quarantined->Persist());
    const PackRecord record = quarantined->record();
    const Status installed = store_->Install(record, std::move(quarantined));
    EXPECT_TRUE(installed) << installed.error().ToString();
    return record;
  }

  bool Has(const ObjectId& id) { return store_->Contains(id).value(); }
  // Regular files below the root, but for our children's repository.
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      const std::string name = fs::relative(entry.path(), root()).string();
      if (entry.is_regular_file() && !name.starts_with("git/")) {
        names.push_back(name);
      }
    }
    std::ranges::sort(names);
    return names;
  }
  bool NothingIsLeft() const { return Files().empty() && fs::is_empty(root() + "/incoming"); }
  std::size_t Packs() const {
    const std::vector<std::string> names = Files();
    return static_cast<std::size_t>(
        std::ranges::count_if(names, [](const std::string& n) { return n.ends_with(".pack"); }));
  }

  // Git finds everything that `tips` reach, and nothing amiss.
  void ExpectSound(const std::vector<ObjectId>& tips) {
    GitRepo repo(GetParam());
    std::vector<std::string> arguments = {"fsck", "--strict", "--full", "--no-progress"};
    for (const ObjectId& tip : tips) {
      arguments.push_back(tip.ToHex());
    }
    const GitOutcome outcome = repo.RunOver(store_->objects_directory(), arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err << outcome.out;
  }

  SmallPush Small(std::string_view text, const std::vector<ObjectId>& parents = {}) {
    return MakeSmallPush(GetParam(), text, parents);
  }
  // A commit of one tree of `files` blobs, `file_bytes` each, that do not compress.
  std::string Large(int files, std::size_t file_bytes, ObjectId* commit = nullptr) {
    PackBuilder builder(GetParam());
    std::vector<TreeItem> items;
    Prng prng(77);
    for (int i = 0; i < files; ++i) {
      std::string content(file_bytes, '\0');
      std::ranges::generate(content, [&prng] { return static_cast<char>(prng.Next()); });
      std::string name = std::to_string(i + 100000);
      items.push_back({"100644", name, builder.Blob(content + name)});
    }
    const ObjectId id = builder.Commit({.tree = builder.Tree(items), .parents = {}});
    if (commit != nullptr) {
      *commit = id;
    }
    return builder.Finish();
  }
  bool is_sha1() const { return GetParam() == ObjectFormat::kSha1; }

  TemporaryDirectory directory_;
  env::PosixFileSystem files_;
  env::PosixChildLauncher children_;
  SharedRandom random_;
  ObjectStoreOptions options_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<PackReceiver> receiver_;
};

TEST_P(ObjectStoreTest, SmallPushBecomesLooseObjects) {
  const SmallPush push = Small("hello\n");
  auto quarantined = Receive(push.pack).value();
  const PackRecord record = quarantined->record();
  EXPECT_EQ(record.inline_bytes, push.pack);
  EXPECT_EQ(record.digest, Sha256(push.pack));
  EXPECT_EQ(record.size, push.pack.size());
  EXPECT_EQ(record.objects, 3U);
  if (is_sha1()) {
    EXPECT_TRUE(NothingIsLeft());  // All of it is in memory.
  }
  EXPECT_FALSE(Has(push.commit));

  ASSERT_TRUE(quarantined->Persist());
  ASSERT_TRUE(store_->Install(record, std::move(quarantined)));
  receiver_.reset();

  EXPECT_TRUE(Has(push.commit));
  EXPECT_EQ(store_->Read(push.blob).value().content, "hello\n");
  EXPECT_EQ(store_->Read(push.tree).value().type, ObjectType::kTree);
  EXPECT_EQ(Files().size(), 3U);
  EXPECT_EQ(Packs(), 0U);
  ExpectSound({push.commit});
}

TEST_P(ObjectStoreTest, QuarantineLeavesNothingBehind) {
  for (const std::string& pack : {Small("hello\n").pack, Large(3, 100000), Large(200, 10)}) {
    auto quarantined = Receive(pack).value();
    quarantined.reset();
    receiver_.reset();
    EXPECT_TRUE(NothingIsLeft());
  }
  receiver_ = store_->NewReceiver();
  ASSERT_TRUE(receiver_->Write(Large(3, 100000).substr(0, 150000)));
  receiver_.reset();  // With its child at work.
  EXPECT_TRUE(NothingIsLeft());
}

TEST_P(ObjectStoreTest, RedoWithoutQuarantineGivesTheSame) {
  ObjectId large;
  ObjectId many;
  const SmallPush push = Small("hello\n");
  const std::vector<PackRecord> records = {Install(push.pack), Install(Large(3, 100000, &large)),
                                           Install(Large(200, 10, &many))};
  const std::vector<std::string> before = Files();
  for (const PackRecord& record : records) {
    EXPECT_TRUE(store_->Install(record, nullptr));
  }
  EXPECT_EQ(Files(), before);
  ExpectSound({push.commit, large, many});
}

TEST_P(ObjectStoreTest, ReplicaInstallsFromTheRecordAlone) {
  ObjectId many;
  const SmallPush push = Small("hello\n");
  const std::vector<PackRecord> records = {Install(push.pack), Install(Large(200, 10, &many))};
  fs::remove_all(root());
  Reopen();
  for (const PackRecord& record : records) {
    ASSERT_TRUE(store_->Install(record, nullptr));
  }
  EXPECT_EQ(Packs(), 1U);
  ExpectSound({push.commit, many});
}

TEST_P(ObjectStoreTest, RedoRepairsWhatAPowerCutEmptied) {
  const SmallPush push = Small("hello\n");
  const PackRecord record = Install(push.pack);
  for (const std::string& name : Files()) {
    fs::resize_file(root() + "/" + name, name.back() % 2 == 0 ? 0 : 5);
  }
  EXPECT_EQ(store_->Contains(push.commit).error().code(), Code::kCorruption);
  EXPECT_EQ(store_->Read(push.blob).error().code(), Code::kCorruption);

  ASSERT_TRUE(store_->Install(record, nullptr));

  EXPECT_EQ(store_->Read(push.blob).value().content, "hello\n");
  ExpectSound({push.commit});
}

TEST_P(ObjectStoreTest, LargePackIsStoredBesideTheLog) {
  ObjectId commit;
  const std::string pack = Large(3, 100000, &commit);
  auto quarantined = Receive(pack).value();
  const PackRecord record = quarantined->record();
  EXPECT_EQ(record.inline_bytes, "");
  EXPECT_EQ(record.digest, Sha256(pack));
  EXPECT_EQ(record.size, pack.size());
  EXPECT_EQ(record.objects, 5U);
  EXPECT_EQ(store_->Install(record, nullptr).error().code(), Code::kCorruption);  // Not there yet.

  ASSERT_TRUE(quarantined->Persist());
  const std::string name = "staged/" + record.digest.ToHex();
  EXPECT_EQ(Files(), (std::vector<std::string>{name + ".idx", name + ".pack"}));
  EXPECT_FALSE(Has(commit));

  receiver_.reset();
  ASSERT_TRUE(store_->Install(record, std::move(quarantined)));
  EXPECT_TRUE(Has(commit));
  EXPECT_EQ(Packs(), 1U);
  EXPECT_EQ(Files().size(), 2U);
  ExpectSound({commit});
}

TEST_P(ObjectStoreTest, PersistedPackOutlivesACrash) {
  ObjectId commit;
  auto quarantined = Receive(Large(3, 100000, &commit)).value();
  ASSERT_TRUE(quarantined->Persist());
  const PackRecord record = quarantined->record();
  quarantined.reset();
  receiver_.reset();
  Reopen();

  ASSERT_TRUE(store_->DropStagedExcept({record.digest}));
  ASSERT_TRUE(store_->Install(record, nullptr));
  EXPECT_TRUE(Has(commit));
}

TEST_P(ObjectStoreTest, StagedPacksThatNobodyNamesAreDropped) {
  auto lost = Receive(Large(3, 100000)).value();
  ASSERT_TRUE(lost->Persist());
  lost.reset();
  auto held = Receive(Large(2, 100000)).value();
  ASSERT_TRUE(held->Persist());
  std::ofstream(root() + "/staged/strange") << "x";

  ASSERT_TRUE(store_->DropStagedExcept({}));

  const std::string name = "staged/" + held->record().digest.ToHex();
  EXPECT_EQ(Files(), (std::vector<std::string>{name + ".idx", name + ".pack"}));
  ASSERT_TRUE(held->Discard());
  EXPECT_TRUE(Files().empty());
}

TEST_P(ObjectStoreTest, OnePackPushedTwiceIsHeldTwice) {
  ObjectId commit;
  const std::string pack = Large(3, 100000, &commit);
  auto first = Receive(pack).value();
  ASSERT_TRUE(first->Persist());
  auto second = Receive(pack).value();
  ASSERT_TRUE(second->Persist());
  receiver_.reset();

  ASSERT_TRUE(first->Discard());
  const PackRecord record = second->record();
  ASSERT_TRUE(store_->Install(record, std::move(second)));
  EXPECT_TRUE(Has(commit));
}

TEST_P(ObjectStoreTest, DiscardLeavesWhatAnEntryMayName) {
  ObjectId commit;
  const std::string pack = Large(3, 100000, &commit);
  auto appended = Receive(pack).value();
  ASSERT_TRUE(appended->Persist());
  const PackRecord record = appended->record();
  appended.reset();  // What became of its entry is not known.

  auto refused = Receive(pack).value();
  ASSERT_TRUE(refused->Persist());
  ASSERT_TRUE(refused->Discard());
  receiver_.reset();
  ASSERT_TRUE(store_->Install(record, nullptr));
  EXPECT_TRUE(Has(commit));

  refused = Receive(pack).value();  // Installed, it is nothing that Discard() would take away.
  ASSERT_TRUE(refused->Persist());
  ASSERT_TRUE(refused->Discard());
  refused.reset();
  receiver_.reset();
  EXPECT_TRUE(fs::is_empty(root() + "/staged"));
  EXPECT_TRUE(Has(commit));
}

TEST_P(ObjectStoreTest, DiscardLeavesWhatTheLogNamedAtTheStart) {
  ObjectId commit;
  const std::string pack = Large(3, 100000, &commit);
  auto quarantined = Receive(pack).value();
  ASSERT_TRUE(quarantined->Persist());
  const PackRecord record = quarantined->record();
  quarantined.reset();
  receiver_.reset();
  Reopen();
  ASSERT_TRUE(store_->DropStagedExcept({record.digest}));

  auto refused = Receive(pack).value();
  ASSERT_TRUE(refused->Persist());
  ASSERT_TRUE(refused->Discard());
  receiver_.reset();
  ASSERT_TRUE(store_->Install(record, nullptr));
  EXPECT_TRUE(Has(commit));
}

TEST_P(ObjectStoreTest, FailedPersistLeavesNothingStaged) {
  auto quarantined = Receive(Large(3, 100000)).value();
  ASSERT_TRUE(ArmFaultPoints("git.persist=fail"));
  EXPECT_FALSE(quarantined->Persist());
  ASSERT_TRUE(ArmFaultPoints(""));
  EXPECT_TRUE(fs::is_empty(root() + "/staged"));
  EXPECT_TRUE(quarantined->Persist());
  EXPECT_EQ(Packs(), 1U);
}

TEST_P(ObjectStoreTest, InstallCutOffBetweenFilesIsDoneAgain) {
  ObjectId commit;
  const PackRecord record = Install(Large(3, 100000, &commit));
  // As if the index's move had been lost.
  fs::rename(root() + "/objects/pack/pack-" + record.digest.ToHex() + ".idx",
             root() + "/staged/" + record.digest.ToHex() + ".idx");
  Reopen();
  ASSERT_TRUE(store_->Install(record, nullptr));
  EXPECT_TRUE(Has(commit));
  ExpectSound({commit});
}

TEST_P(ObjectStoreTest, ThinPackIsCheckedAndInstalledAgainstTheStore) {
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

TEST_P(ObjectStoreTest, LargeThinPackIsCompleted) {
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

TEST_P(ObjectStoreTest, EmptyPackIsLegal) {
  const PackRecord record = Install(SealPack(GetParam(), 0, ""));
  EXPECT_EQ(record.objects, 0U);
  EXPECT_TRUE(store_->Install(record, nullptr));
  EXPECT_TRUE(NothingIsLeft());
}

// Whichever way a pack takes, what it refers to must exist, and be what it should.
TEST_P(ObjectStoreTest, ClosureIsChecked) {
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

TEST_P(ObjectStoreTest, WrongTypeInTheStoreIsRefused) {
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

TEST_P(ObjectStoreTest, ReferencesIntoTheStoreAreEnough) {
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

TEST_P(ObjectStoreTest, MalformedObjectsAreRefusedEitherWay) {
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

TEST_P(ObjectStoreTest, FilesWithAMeaningToGitAreJudgedByGit) {
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
TEST_P(ObjectStoreTest, DamagedPacksAreRefused) {
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

TEST_P(ObjectStoreTest, LimitsAreRefusedEarlyAndClearly) {
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

TEST_P(ObjectStoreTest, UnpackedTooLargeForMemoryGoesToGit) {
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

TEST_P(ObjectStoreTest, TargetsAreResolvedInPackAndStore) {
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

TEST_P(ObjectStoreTest, ProgressIsForPeople) {
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

TEST_P(ObjectStoreTest, OpenEmptiesIncoming) {
  fs::create_directories(root() + "/incoming/left/objects");
  std::ofstream(root() + "/incoming/left/objects/x") << "x";
  Reopen();
  EXPECT_TRUE(NothingIsLeft());
}

TEST_P(ObjectStoreTest, DamagedInlineBytesAreCorruption) {
  PackRecord record = Install(Small("hello\n").pack);
  record.inline_bytes[30] = static_cast<char>(record.inline_bytes[30] ^ 1);
  EXPECT_EQ(store_->Install(record, nullptr).error().code(), Code::kCorruption);
}

TEST_P(ObjectStoreTest, ObjectThatDoesNotHashToItsNameIsCorruption) {
  const SmallPush one = Small("one\n");
  const SmallPush two = Small("two\n");
  Install(one.pack);
  Install(two.pack);
  const auto path = [this](const ObjectId& id) {
    return root() + "/objects/" + id.ToHex().substr(0, 2) + "/" + id.ToHex().substr(2);
  };
  fs::copy_file(path(one.blob), path(two.blob), fs::copy_options::overwrite_existing);
  EXPECT_EQ(store_->Read(two.blob).error().code(), Code::kCorruption);
  EXPECT_EQ(store_->Read(one.blob).value().content, "one\n");
}

TEST_P(ObjectStoreTest, PacksThatHousekeepingMadeAreFound) {
  std::vector<ObjectId> tips;
  ObjectId large;
  Install(Large(3, 100000, &large));
  tips.push_back(large);
  std::string names;
  for (int i = 0; i < 5; ++i) {
    const SmallPush push = Small("text " + std::to_string(i));
    Install(push.pack);
    tips.push_back(push.commit);
    names += push.commit.ToHex() + "\n" + push.tree.ToHex() + "\n" + push.blob.ToHex() + "\n";
    EXPECT_TRUE(Has(push.commit));
  }
  GitRepo repo(GetParam());
  const std::string base = store_->objects_directory() + "/pack/pack";
  ASSERT_EQ(repo.RunOver(store_->objects_directory(), {"pack-objects", "-q", base}, names).status,
            0);
  ASSERT_EQ(repo.RunOver(store_->objects_directory(), {"prune-packed", "-q"}).status, 0);
  EXPECT_EQ(Packs(), 2U);
  for (const ObjectId& tip : tips) {
    EXPECT_TRUE(Has(tip));
  }
  ExpectSound(tips);
}

TEST_P(ObjectStoreTest, PacksThatHousekeepingReplacedAreForgotten) {
  ObjectId large;
  const PackRecord record = Install(Large(3, 100000, &large));
  EXPECT_TRUE(Has(large));
  GitRepo repo(GetParam());
  const std::string objects = store_->objects_directory();
  ASSERT_EQ(repo.RunOver(objects,
                         {"pack-objects", "-q", "--all-progress-implied", "--revs",
                          objects + "/pack/pack"},
                         large.ToHex() + "\n")
                .status,
            0);
  fs::remove(objects + "/pack/pack-" + record.digest.ToHex() + ".idx");
  fs::remove(objects + "/pack/pack-" + record.digest.ToHex() + ".pack");
  EXPECT_EQ(Packs(), 1U);
  EXPECT_EQ(store_->Read(large).value().type, ObjectType::kCommit);
  ExpectSound({large});
}

TEST_P(ObjectStoreTest, ManyPushAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kPushes = 8;
  std::vector<std::thread> threads;
  std::vector<std::vector<ObjectId>> tips(kThreads);
  std::mutex install;  // Installs come from one strand.
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &install, &mine = tips[static_cast<std::size_t>(t)]] {
      for (int i = 0; i < kPushes; ++i) {
        const std::vector<ObjectId> parents(mine.begin() + (i == 0 ? 0 : i - 1), mine.end());
        const SmallPush push = Small(std::to_string(t) + " " + std::to_string(i), parents);
        const std::unique_ptr<PackReceiver> receiver = store_->NewReceiver();
        if (!receiver->Write(push.pack)) {
          return;
        }
        Result<std::unique_ptr<QuarantinedPack>> pack = receiver->Finish();
        const std::lock_guard lock(install);
        if (!pack) {
          return;
        }
        const PackRecord record = (*pack)->record();
        if (!store_->Install(record, *std::move(pack))) {
          return;
        }
        mine.push_back(push.commit);
      }
    });
  }
  std::vector<ObjectId> all;
  for (int t = 0; t < kThreads; ++t) {
    threads[static_cast<std::size_t>(t)].join();
    const std::vector<ObjectId>& mine = tips[static_cast<std::size_t>(t)];
    EXPECT_EQ(mine.size(), std::size_t{kPushes});
    all.insert(all.end(), mine.begin(), mine.end());
  }
  ExpectSound(all);
}

INSTANTIATE_TEST_SUITE_P(Formats, ObjectStoreTest,
                         ::testing::Values(ObjectFormat::kSha1, ObjectFormat::kSha256),
                         [](const auto& test) { return std::string(FormatName(test.param)); });

}  // namespace
}  // namespace quorate::git
