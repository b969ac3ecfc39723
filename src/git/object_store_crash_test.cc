// The life of packs with the process ended at each operation on files, and the power cut: whatever
// the log says of them by then is made true by what a start does (txn/internal/recovery.h), and
// nothing else is left.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/seeds.h"
#include "env/posix/child.h"
#include "env/posix/file_system.h"
#include "env/testing/power_cut_files.h"
#include "env/testing/temporary_folder.h"
#include "git/object_store.h"
#include "git/testing/object_store_fixture.h"

namespace quorate::git {
namespace {

using env::PowerCutFiles;

// A pack as clients send it, and a commit in it.
struct Sent {
  std::string bytes;
  ObjectId tip;
};

Sent SmallPack(const std::string& text) {
  const SmallPush push = MakeSmallPush(ObjectFormat::kSha1, text);
  return {.bytes = push.pack, .tip = push.commit};
}

// More objects than become loose ones.
Sent PackOfManyObjects() {
  PackBuilder builder;
  std::vector<TreeItem> items;
  for (int i = 0; i < 120; ++i) {
    const std::string name = std::to_string(1000 + i);
    items.push_back({"100644", name, builder.Blob("file " + name)});
  }
  const ObjectId tip = builder.Commit({.tree = builder.Tree(items), .parents = {}});
  return {.bytes = builder.Finish(), .tip = tip};
}

// More bytes than an entry carries.
Sent LargePack() {
  PackBuilder builder;
  Prng prng(7);
  std::string noise(200'000, '\0');
  std::ranges::generate(noise, [&prng] { return static_cast<char>(prng.Next()); });
  const ObjectId tree = builder.Tree({{"100644", "noise", builder.Blob(noise)}});
  const ObjectId tip = builder.Commit({.tree = tree, .parents = {}});
  return {.bytes = builder.Finish(), .tip = tip};
}

// A store, and the log of whoever commits packs. The log is always durable.
class Life {
 public:
  Life() { files_.EndAt(0); }

  // --- What a story is made of. False: the process has ended. ---

  bool Open() {
    packs_.clear();
    store_.reset();
    Result<std::unique_ptr<ObjectStore>> store =
        ObjectStore::Open(root_, ObjectFormat::kSha1, files_, children_, random_, {});
    if (!store) {
      return false;
    }
    store_ = *std::move(store);
    std::vector<Sha256Digest> named;
    for (std::size_t i = durable_; i < log_.size(); ++i) {
      named.push_back(log_[i].record.digest);
      if (i < applied_ && !store_->Install(log_[i].record, nullptr)) {
        return false;
      }
    }
    return store_->DropStagedExcept(named).has_value();
  }
  // A pack comes in and is checked.
  bool Receive(const Sent& sent) {
    const std::unique_ptr<PackReceiver> receiver = store_->NewReceiver();
    if (!receiver->Write(sent.bytes)) {
      return false;
    }
    Result<std::unique_ptr<QuarantinedPack>> pack = receiver->Finish();
    if (!pack) {
      return false;
    }
    packs_.push_back(*std::move(pack));
    return true;
  }
  bool Persist() { return packs_.back()->Persist().has_value(); }
  // An entry names the last pack that came.
  bool Append(const Sent& sent) {
    log_.push_back({.record = packs_.back()->record(), .tip = sent.tip});
    return true;
  }
  bool Discard() { return packs_.back()->Discard().has_value(); }
  // Applies the next entry, with the local copy of its pack, if there is one.
  bool Apply() {
    std::unique_ptr<QuarantinedPack> local;
    if (!packs_.empty()) {
      local = std::move(packs_.front());
      packs_.erase(packs_.begin());
    }
    if (!store_->Install(log_[applied_].record, std::move(local))) {
      return false;
    }
    ++applied_;
    return true;
  }
  bool Sync() {
    if (!files_.SyncFileSystem(root_)) {
      return false;
    }
    durable_ = applied_;
    return true;
  }

  // --- The end. ---

  PowerCutFiles& files() { return files_; }

  void CutPower(std::size_t names_kept, PowerCutFiles::Bytes unsynced_bytes) {
    packs_.clear();
    store_.reset();
    files_.CutPower(names_kept, unsynced_bytes);
  }
  // The entries that were not applied are, and everything is as it must be.
  void CheckAll(const std::vector<Sent>& all) {
    ASSERT_TRUE(Open());
    while (applied_ < log_.size()) {
      ASSERT_TRUE(Apply());
    }
    for (const Sent& sent : all) {
      const bool logged =
          std::ranges::any_of(log_, [&sent](const Entry& entry) { return entry.tip == sent.tip; });
      EXPECT_EQ(store_->Contains(sent.tip).value(), logged);
    }
    EXPECT_EQ(Names("staged"), (std::vector<std::string>{}));
    EXPECT_EQ(Names("incoming"), (std::vector<std::string>{}));
    EXPECT_EQ(Names("objects"), WhatTheLogMakes());
    const GitOutcome sound =
        repo_.RunOver(store_->objects_directory(), {"fsck", "--strict", "--full", "--no-progress"});
    EXPECT_EQ(sound.status, 0) << sound.err << sound.out;
  }

 private:
  struct Entry {
    PackRecord record;
    ObjectId tip;
  };

  static std::vector<std::string> NamesBelow(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file()) {
        names.push_back(std::filesystem::relative(entry.path(), directory).string());
      }
    }
    std::ranges::sort(names);
    return names;
  }
  std::vector<std::string> Names(const std::string& part) const {
    return NamesBelow(root_ + "/" + part);
  }

  // The files of a store that no crash ever met, and which got everything from the log. Of a pack
  // beside the log, those that are there: its bytes are nowhere else.
  std::vector<std::string> WhatTheLogMakes() {
    const env::TemporaryFolder folder;
    const auto store =
        ObjectStore::Open(folder.path() + "/1", ObjectFormat::kSha1, posix_, children_, random_, {})
            .value();
    std::set<std::string> names;
    for (const Entry& entry : log_) {
      if (!entry.record.inline_bytes.empty()) {
        EXPECT_TRUE(store->Install(entry.record, nullptr));
      } else {
        names.insert("pack/pack-" + entry.record.digest.ToHex() + ".pack");
        names.insert("pack/pack-" + entry.record.digest.ToHex() + ".idx");
      }
    }
    names.merge([&] {
      const std::vector<std::string> made = NamesBelow(folder.path() + "/1/objects");
      return std::set<std::string>(made.begin(), made.end());
    }());
    return {names.begin(), names.end()};
  }

  const env::TemporaryFolder folder_;
  const std::string root_ = folder_.path() + "/1";
  env::PosixFileSystem posix_;
  PowerCutFiles files_{posix_, folder_.path()};
  env::PosixChildLauncher children_;
  SharedRandom random_;
  GitRepo repo_{ObjectFormat::kSha1};
  std::unique_ptr<ObjectStore> store_;
  std::vector<std::unique_ptr<QuarantinedPack>> packs_;  // Came in, and are not applied.
  std::vector<Entry> log_;
  std::size_t applied_ = 0;
  std::size_t durable_ = 0;  // What the store need not be told again.
};

struct Story {
  std::string name;
  std::vector<Sent> packs;
  std::function<bool(Life&, const std::vector<Sent>&)> play;
};

bool Commit(Life& life, const Sent& sent) {
  return life.Receive(sent) && life.Persist() && life.Append(sent) && life.Apply();
}

std::vector<Story> Stories() {
  const Sent small = SmallPack("one");
  const Sent other = SmallPack("two");
  const Sent large = LargePack();
  return {
      {"Small",
       {small, other},
       [](Life& life, const std::vector<Sent>& packs) {
         return life.Open() && Commit(life, packs[0]) && life.Sync() && Commit(life, packs[1]) &&
                life.Open();
       }},
      {"ManyObjects",
       {PackOfManyObjects()},
       [](Life& life, const std::vector<Sent>& packs) {
         return life.Open() && Commit(life, packs[0]) && life.Open() && life.Sync();
       }},
      {"BesideTheLog",
       {large, small},
       [](Life& life, const std::vector<Sent>& packs) {
         return life.Open() && Commit(life, packs[0]) && Commit(life, packs[1]) && life.Open() &&
                life.Sync();
       }},
      {"BesideTheLogAndRefused",
       {large},
       [](Life& life, const std::vector<Sent>& packs) {
         return life.Open() && life.Receive(packs[0]) && life.Persist() && life.Discard() &&
                life.Open();
       }},
      {"BesideTheLogAndAppliedAfterTheStart",
       {large},
       [](Life& life, const std::vector<Sent>& packs) {
         return life.Open() && life.Receive(packs[0]) && life.Persist() && life.Append(packs[0]) &&
                life.Open() && life.Apply() && life.Sync();
       }},
      {"BesideTheLogTwice",
       {large},
       [](Life& life, const std::vector<Sent>& packs) {
         return life.Open() && Commit(life, packs[0]) && life.Sync() && Commit(life, packs[0]) &&
                life.Open();
       }},
  };
}

class ObjectStoreCrashTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  enum class Loss { kNone, kBytes, kHalfTheNames, kAllNames };

  static void CutPower(Life& life, Loss loss) {
    const std::size_t names = life.files().unsynced();
    switch (loss) {
      case Loss::kNone:
        life.CutPower(names, PowerCutFiles::Bytes::kKept);
        break;
      case Loss::kBytes:
        life.CutPower(names, PowerCutFiles::Bytes::kTorn);
        break;
      case Loss::kHalfTheNames:
        life.CutPower(names / 2, PowerCutFiles::Bytes::kTorn);
        break;
      case Loss::kAllNames:
        life.CutPower(0, PowerCutFiles::Bytes::kTorn);
        break;
    }
  }
};

TEST_P(ObjectStoreCrashTest, WhatTheLogNamesIsThereAndNothingElse) {
  const Story story = Stories()[GetParam()];
  Life whole;
  ASSERT_TRUE(story.play(whole, story.packs));
  const std::uint64_t calls = whole.files().calls();
  whole.CheckAll(story.packs);
  EXPECT_GT(calls, 15u);
  const std::uint64_t step = kSanitized ? 4 : 1;
  for (std::uint64_t fatal = 1; fatal <= calls; fatal += step) {
    // The worst, and another in turn.
    for (const Loss loss : {Loss::kAllNames, static_cast<Loss>(fatal % 3)}) {
      SCOPED_TRACE("ended at call " + std::to_string(fatal) + ", loss " +
                   std::to_string(static_cast<int>(loss)));
      Life life;
      life.files().EndAt(fatal);
      ASSERT_FALSE(story.play(life, story.packs));
      CutPower(life, loss);
      life.CheckAll(story.packs);
      if (HasFailure()) {
        return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stories, ObjectStoreCrashTest,
                         ::testing::Range(std::size_t{0}, Stories().size()),
                         [](const auto& tested) { return Stories()[tested.param].name; });

}  // namespace
}  // namespace quorate::git
