#include "txn/internal/applier.h"

#include <gtest/gtest.h>

#include <utility>

#include "env/testing/manual_env.h"
#include "git/testing/fake_packs.h"
#include "kv/testing/memory_store.h"
#include "txn/internal/entry_codec.h"
#include "txn/internal/state_codec.h"
#include "txn/snapshot.h"
#include "txn/testing/world.h"

namespace quorate::txn::internal {
namespace {

constexpr PartitionId kPartition{7};
constexpr RepositoryId kRepository{1};

class ApplierTest : public ::testing::Test {
 protected:
  void Restart() {
    mark_ = std::make_shared<AppliedMark>();
    applier_ = std::make_unique<Applier>(kPartition, store_, states_, &packs_, mark_,
                                         ReadApplied(kPartition, store_).value());
  }

  // The entry behind the last one, with these changes; nothing: a no-op.
  ApplyItem Next(std::vector<Change> changes) {
    last_ = last_.Next();
    ApplyItem item;
    item.entry.lsn = last_;
    item.entry.term = Term{2};
    if (!changes.empty()) {
      LogRecord record;
      record.transaction_id = IdAt(last_);
      record.actor = "ann";
      record.time_unix_micros = static_cast<std::int64_t>(last_.value) * 1000;
      record.changes = std::move(changes);
      item.entry.data = EncodeRecord(std::move(record));
    }
    return item;
  }

  static std::string IdAt(Lsn lsn) {
    std::string id = std::to_string(lsn.value);
    id.resize(16, '.');
    return id;
  }

  // Nobody else writes, so the answer is there at once. `items` stays what came back.
  Status ApplyAll(std::vector<ApplyItem>& items) {
    Status result = Error(Code::kInternal, "no answer");
    applier_->Apply(std::move(items), [&](Status status, std::vector<ApplyItem> back) {
      result = std::move(status);
      items = std::move(back);
    });
    return result;
  }

  template <class... Items>
  Status Apply(Items... items) {
    std::vector<ApplyItem> all;
    (all.push_back(std::move(items)), ...);
    return ApplyAll(all);
  }

  // Entries with these changes, as one batch.
  Status ApplyNext(std::vector<std::vector<Change>> entries) {
    std::vector<ApplyItem> items;
    for (std::vector<Change>& changes : entries) {
      items.push_back(Next(std::move(changes)));
    }
    return ApplyAll(items);
  }

  static Change Create() {
    return RepositoryCreate{.repository = kRepository,
                            .format = git::ObjectFormat::kSha1,
                            .default_branch = "refs/heads/main"};
  }
  static Change Move(std::optional<RefValue> before, std::optional<RefValue> after) {
    return RefChange{.repository = kRepository,
                     .name = "refs/heads/main",
                     .before = std::move(before),
                     .after = std::move(after)};
  }

  Snapshot Now() { return Snapshot::Take(kPartition, store_).value(); }
  std::optional<RefValue> Main() { return Now().FindRef(kRepository, "refs/heads/main").value(); }

  kv::MemoryStore store_;
  env::ManualEnv env_;
  kv::GroupWriter states_{store_, env_.NewStrand()};
  git::FakePacks packs_;
  Lsn last_ = kBootstrapPosition.lsn;
  std::shared_ptr<AppliedMark> mark_ = std::make_shared<AppliedMark>();
  std::unique_ptr<Applier> applier_ =
      std::make_unique<Applier>(kPartition, store_, states_, &packs_, mark_, kBootstrapPosition);
};

TEST_F(ApplierTest, SeveralEntriesBecomeOneBatchAndSeeOneAnother) {
  const std::uint64_t writes = store_.writes();

  ASSERT_TRUE(
      ApplyNext({{Create()}, {}, {Move({}, ValueOf('A'))}, {Move(ValueOf('A'), ValueOf('B'))}}));

  EXPECT_EQ(store_.writes(), writes + 1);
  EXPECT_EQ(store_.syncs(), 0u);
  EXPECT_EQ(Main(), ValueOf('B'));
  EXPECT_EQ(Now().position(), (Position{.lsn = last_, .term = Term{2}}));
  EXPECT_EQ(Now().FindRepository(kRepository).value()->ref_version, last_);
  EXPECT_EQ(Now().FindTransaction(IdAt(Lsn{8})).value(),
            (CommittedTransaction{.lsn = Lsn{8}, .time_unix_micros = 8000, .actor = "ann"}));
}

TEST_F(ApplierTest, AnEntryThatDoesNotFitIsRefusedWhollyAndThoseBeforeItStay) {
  RefChange other{
      .repository = kRepository, .name = "refs/heads/other", .before = {}, .after = ValueOf('C')};
  ApplyItem create = Next({Create()});
  ApplyItem first = Next({Move({}, ValueOf('A'))});
  ApplyItem wrong = Next({other, Move(ValueOf('X'), ValueOf('B'))});
  const Lsn good = first.entry.lsn;

  const Status applied = Apply(std::move(create), std::move(first), std::move(wrong));

  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), Code::kCorruption);
  EXPECT_EQ(applier_->applied().lsn, good);
  EXPECT_EQ(Main(), ValueOf('A'));
  EXPECT_FALSE(Now().FindRef(kRepository, "refs/heads/other").value());
}

TEST_F(ApplierTest, PacksAreInstalledBeforeTheStateThatRefersToThem) {
  auto pack = packs_.NewInline("objects");
  const git::PackRecord record = pack->record();
  ASSERT_TRUE(Apply(Next({Create()})));
  ApplyItem push =
      Next({PackAdd{.repository = kRepository, .pack = record}, Move({}, ValueOf('A'))});
  push.locals.push_back(std::move(pack));
  store_.FailNextWrite();

  EXPECT_FALSE(Apply(std::move(push)));

  EXPECT_TRUE(packs_.IsInstalled("objects"));
  EXPECT_FALSE(Main());
}

TEST_F(ApplierTest, APackForWhichThereIsNoRoomIsTriedAgain) {
  const git::PackRecord record = packs_.NewInline("objects")->record();
  std::vector<ApplyItem> items;
  items.push_back(Next({Create()}));
  items.push_back(
      Next({PackAdd{.repository = kRepository, .pack = record}, Move({}, ValueOf('A'))}));
  packs_.FailNextInstall(Error(Code::kResourceExhausted, "no room"));
  EXPECT_EQ(ApplyAll(items).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(applier_->applied().lsn, Lsn{6});

  const Status again = ApplyAll(items);

  EXPECT_TRUE(again);
  EXPECT_EQ(Main(), ValueOf('A'));
}

TEST_F(ApplierTest, AStoreThatFailedIsNotTriedAgain) {
  store_.SetDiskFull(true);

  const Status applied = ApplyNext({{Create()}});

  EXPECT_EQ(applied.error().code(), Code::kInternal);
  EXPECT_EQ(applier_->applied(), kBootstrapPosition);
}

TEST_F(ApplierTest, WhatACrashLostIsAppliedAgain) {
  ApplyItem create = Next({Create()});
  ApplyItem move = Next({Move({}, ValueOf('A'))});
  const std::string create_data = create.entry.data;
  const std::string move_data = move.entry.data;
  ASSERT_TRUE(Apply(std::move(create)));
  ASSERT_TRUE(Apply(std::move(move)));
  store_.Crash(1);
  Restart();
  EXPECT_EQ(applier_->applied().lsn, Lsn{6});

  ApplyItem again;
  again.entry = {
      .lsn = Lsn{7}, .term = Term{2}, .type = consensus::EntryType::kNormal, .data = move_data};

  EXPECT_TRUE(Apply(std::move(again)));
  EXPECT_EQ(Main(), ValueOf('A'));
}

TEST_F(ApplierTest, TheMarkSaysWhatTheStoreHolds) {
  EXPECT_FALSE(mark_->Read());
  ASSERT_TRUE(ApplyNext({{Create()}, {Move({}, ValueOf('A'))}}));

  EXPECT_EQ(mark_->Read()->applied, Now().position());
  EXPECT_EQ(mark_->Read()->repository->id, kRepository);
  EXPECT_EQ(mark_->Read()->repository->ref_version, last_);
  EXPECT_EQ(mark_->Read()->repository->head.symref, "refs/heads/main");

  ASSERT_TRUE(ApplyNext({{}}));  // The repository is as it was.
  EXPECT_EQ(mark_->Read()->applied.lsn, last_);
  EXPECT_EQ(mark_->Read()->repository->ref_version, Lsn{last_.value - 1});

  ASSERT_TRUE(ApplyNext({{RepositoryDelete{.repository = kRepository}}}));
  EXPECT_EQ(mark_->Read()->applied.lsn, last_);
  EXPECT_EQ(mark_->Read()->repository, nullptr);
}

TEST_F(ApplierTest, AfterAWriteThatFailedTheMarkSaysNothing) {
  ASSERT_TRUE(ApplyNext({{Create()}}));
  store_.FailNextWrite();
  EXPECT_FALSE(ApplyNext({{Move({}, ValueOf('A'))}}));
  EXPECT_FALSE(mark_->Read());
}

TEST_F(ApplierTest, WhatWasDroppedOfARepositoryIsForgotten) {
  ASSERT_TRUE(ApplyNext({{Create()}}));
  const Lsn good = last_;
  std::vector<ApplyItem> items;
  items.push_back(
      Next({HeadChange{.repository = kRepository,
                       .before = Now().FindRepository(kRepository).value()->head,
                       .after = ValueOf('H')},
            PackAdd{.repository = kRepository, .pack = packs_.NewInline("objects")->record()}}));
  packs_.FailNextInstall(Error(Code::kResourceExhausted, "no room"));
  EXPECT_FALSE(ApplyAll(items));
  EXPECT_EQ(mark_->Read()->applied.lsn, good);

  EXPECT_TRUE(ApplyAll(items));  // HEAD is what it was before the first attempt.
  EXPECT_EQ(Now().FindRepository(kRepository).value()->head, ValueOf('H'));
}

TEST_F(ApplierTest, DeletingARepositoryLeavesNothingAndEndsItsBatch) {
  ASSERT_TRUE(ApplyNext({{Create()},
                         {Move({}, ValueOf('A'))},
                         {RepositoryDelete{.repository = kRepository}},
                         {Create()},
                         {Move({}, ValueOf('B'))}}));

  EXPECT_EQ(Main(), ValueOf('B'));
  EXPECT_EQ(Now().History(kRepository, "", 10).value().size(), 1u);
}

TEST_F(ApplierTest, OldTransactionIdsAreForgotten) {
  ASSERT_TRUE(Apply(Next({Create()})));
  const Lsn early = last_;
  while (last_.value + 500 < kTransactionIdsKept + 1000) {
    std::vector<ApplyItem> items;
    for (int i = 0; i < 500; ++i) {
      items.push_back(Next({}));
    }
    ASSERT_TRUE(ApplyAll(items));
  }
  EXPECT_EQ(Now().FindTransaction(IdAt(early)).value()->lsn, early);
  EXPECT_EQ(Now().TransactionsKnownFrom(), kBootstrapPosition.lsn.Next());
  ASSERT_TRUE(Apply(Next({Move({}, ValueOf('A'))})));
  const Lsn late = last_;

  while (last_.value < kTransactionIdsKept + kGenerationEntries) {
    ASSERT_TRUE(Apply(Next({})));
  }

  EXPECT_FALSE(Now().FindTransaction(IdAt(early)).value());
  EXPECT_EQ(Now().FindTransaction(IdAt(late)).value()->lsn, late);
  EXPECT_EQ(Now().TransactionsKnownFrom(), Lsn{kGenerationEntries});
  EXPECT_EQ(Now().CountTransactions().value(), 1u);
}

}  // namespace
}  // namespace quorate::txn::internal
