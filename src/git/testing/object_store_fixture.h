// An object store on a real disk, with everything that its tests ask of it. The parameter is the
// repository's object format.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fault_point.h"
#include "base/prng.h"
#include "env/posix/child.h"
#include "env/posix/file_system.h"
#include "env/random.h"
#include "git/object_store.h"
#include "git/testing/git_repo.h"
#include "git/testing/pack_builder.h"

namespace quorate::git {

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

class ObjectStoreFixture : public ::testing::TestWithParam<ObjectFormat> {
 protected:
  ObjectStoreFixture() { Reopen(); }
  ~ObjectStoreFixture() override { static_cast<void>(ArmFaultPoints("")); }

  std::string root() const { return directory_.path() + "/1"; }

  void Reopen() {
    receiver_.reset();  // It uses the store.
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
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root())) {
      const std::string name = std::filesystem::relative(entry.path(), root()).string();
      if (entry.is_regular_file() && !name.starts_with("git/")) {
        names.push_back(name);
      }
    }
    std::ranges::sort(names);
    return names;
  }
  bool NothingIsLeft() const {
    return Files().empty() && std::filesystem::is_empty(root() + "/incoming");
  }
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

inline const auto kBothFormats = ::testing::Values(ObjectFormat::kSha1, ObjectFormat::kSha256);

inline std::string NameOfFormat(const ::testing::TestParamInfo<ObjectFormat>& test) {
  return std::string(FormatName(test.param));
}

}  // namespace quorate::git
