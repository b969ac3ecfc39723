// What FindOutcome() says while attempts with one id race, and what it remembers; the stories of it
// are test/scenarios/outcome_*.txt.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "txn/testing/scripted_log.h"
#include "txn/testing/world.h"
#include "txn/transaction_manager.h"

namespace quorate::txn {
namespace {

constexpr RepositoryId kRepository{1};
const std::string kId = "0123456789abcdef";

// Over a log that the test drives. The repository exists.
class TransactionOutcomeTest : public ::testing::Test {
 protected:
  void Start(TransactionManagerOptions options = WithoutTail()) {
    world_ = std::make_unique<World>(mode_, std::nullopt, options);
    ASSERT_TRUE(world_->Open());
    world_->RunOnStrand([this] { log().Lead(); });
    Transaction create = world_->manager().Begin({}).value();
    ASSERT_TRUE(
        create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
    world_->manager().Commit(std::move(create), [](const Result<CommitOutcome>&) {});
    world_->Run();
    CommitLog();
  }

  ScriptedLog& log() { return mode_.log(); }
  env::GatedStrand& storage() { return world_->front().process().storage(); }
  void CommitLog() {
    world_->RunOnStrand([this] { log().Commit(log().uncommitted()); });
  }

  // A transaction of this id that makes the reference, which must not exist.
  Transaction Creation(const std::string& name, const std::string& id,
                       NamedBy named_by = NamedBy::kClient) {
    TransactionOptions options;
    options.id = id;
    options.named_by = named_by;
    Transaction create = world_->manager().Begin(std::move(options)).value();
    RefUpdate update{
        .repository = kRepository, .name = name, .expected = {}, .value = ValueOf('A')};
    update.expected.emplace();
    EXPECT_TRUE(create.StageRef(std::move(update)));
    return create;
  }
  // Nothing runs.
  void HandIn(Transaction transaction) {
    world_->manager().Commit(std::move(transaction), [this](const Result<CommitOutcome>& outcome) {
      told_.emplace_back(outcome ? "committed" : CodeName(outcome.error().code()));
    });
  }
  void Ask(const std::string& id = kId) {
    world_->manager().FindOutcome(id, [this](const Result<TransactionOutcome>& outcome) {
      told_.emplace_back(outcome ? StateName(outcome->state) : CodeName(outcome.error().code()));
    });
  }
  std::string OutcomeOf(const std::string& id) {
    told_.clear();
    Ask(id);
    world_->Run();
    return told_.at(0);
  }

  ScriptedMode mode_;
  std::unique_ptr<World> world_;
  std::vector<std::string> told_;
};

// Its answer waits for the apply of what was committed before; meanwhile leadership goes.
TEST_F(TransactionOutcomeTest, AnEntryThatAnotherLeaderMayKeepIsNotCalledAborted) {
  Start();
  HandIn(Creation("refs/heads/other", "other-transactio"));
  HandIn(Creation("refs/heads/main", kId));
  Transaction again = Creation("refs/heads/main", kId);
  world_->Run();
  storage().Shut();
  world_->RunOnStrand([this] { log().Commit(1); });
  Ask();
  world_->Run();
  world_->RunOnStrand([this] { log().Depose(); });
  HandIn(std::move(again));
  world_->Run();

  storage().Open();
  world_->Run();

  EXPECT_EQ(told_,
            (std::vector<std::string>{"committed", "outcome_unknown", "not_leader", "in_flight"}));
  CommitLog();
  world_->RunOnStrand([this] { log().Lead(); });
  EXPECT_EQ(OutcomeOf(kId), "committed");
}

TEST_F(TransactionOutcomeTest, WhatIsCommittedAndNotYetAppliedIsNotCalledAborted) {
  Start();
  Transaction again = Creation("refs/heads/main", kId);
  TransactionManager::PendingCommit unwanted =
      world_->manager().Commit(std::move(again), [](const Result<CommitOutcome>&) {});
  unwanted.Cancel();  // Before the strand has seen it.
  HandIn(Creation("refs/heads/main", kId));
  world_->Run();
  world_->RunOnStrand([this] { log().HoldReads(); });
  Ask();
  world_->Run();
  storage().Shut();
  world_->RunOnStrand([this] { log().Commit(1); });
  ASSERT_EQ(told_, (std::vector<std::string>{"committed"}));

  world_->RunOnStrand([this] { log().ReleaseReads(); });  // The answer is from before the commit.
  storage().Open();
  world_->Run();

  EXPECT_EQ(told_, (std::vector<std::string>{"committed", "in_flight"}));
  EXPECT_EQ(OutcomeOf(kId), "committed");
}

TEST_F(TransactionOutcomeTest, OnlyTransactionsThatClientsNamedAreRemembered) {
  TransactionManagerOptions options = WithoutTail();
  options.aborts_kept_max = 2;
  Start(options);
  Transaction late = Creation("refs/heads/main", kId);
  Transaction drawn = Creation("refs/heads/main", "drawn-by-server.", NamedBy::kServer);
  std::vector<Transaction> unnamed;
  for (int i = 0; i < 3; ++i) {
    unnamed.push_back(Creation("refs/heads/main", ""));
  }
  HandIn(Creation("refs/heads/main", "the-first-to-com"));
  world_->Run();
  CommitLog();

  HandIn(std::move(late));
  for (Transaction& each : unnamed) {
    HandIn(std::move(each));
  }
  HandIn(std::move(drawn));
  world_->Run();

  EXPECT_EQ(told_, (std::vector<std::string>{"committed", "conflict", "conflict", "conflict",
                                             "conflict", "conflict"}));
  EXPECT_EQ(OutcomeOf(kId), "aborted");
  EXPECT_EQ(OutcomeOf("drawn-by-server."), "not_found");
}

}  // namespace
}  // namespace quorate::txn
