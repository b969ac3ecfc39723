#include "git/object_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "git/testing/object_store_fixture.h"

namespace quorate::git {
namespace {

namespace fs = std::filesystem;

// What is stored where, when it is durable, and what is left behind.
class ObjectStoreTest : public ObjectStoreFixture {};

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

TEST_P(ObjectStoreTest, AReceiverThatWasCancelledFailsAndLeavesNothing) {
  std::stop_source cancel;
  cancel.request_stop();
  receiver_ = store_->NewReceiver(cancel.get_token());
  ObjectId commit;
  const std::string pack = Large(3, 100000, &commit);

  Status written = receiver_->Write(pack);
  if (written) {
    written = receiver_->Finish().error();
  }

  EXPECT_EQ(written.error().code(), Code::kCancelled);
  receiver_.reset();
  EXPECT_EQ(Files(), std::vector<std::string>());
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

INSTANTIATE_TEST_SUITE_P(Formats, ObjectStoreTest, kBothFormats, NameOfFormat);

}  // namespace
}  // namespace quorate::git
