#include "sim/pack_transfer.h"

#include <gtest/gtest.h>

#include <utility>

namespace quorate::sim {
namespace {

constexpr RepositoryId kRepository{1};

TEST(PackTransferTest, AnEntryWaitsUntilSomebodyThatIsUpHasItsPack) {
  Group group({.replicas = 3, .seed = 1, .transactions = {}, .replica = {}});
  const PackTransfer transfer(group);
  ASSERT_TRUE(group.StartAll());
  const ReplicaId leader = group.AwaitLeader().value();
  txn::TransactionManager& manager = group.node(leader).manager();
  txn::Transaction transaction = manager.Begin({}).value();
  ASSERT_TRUE(
      transaction.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
  // Of another store: nobody in the group has it.
  git::FakePacks elsewhere;
  auto pack = elsewhere.NewSideStored("large");
  const git::PackRecord record = pack->record();
  ASSERT_TRUE(pack->Persist());
  ASSERT_TRUE(transaction.StagePack(kRepository, std::move(pack)));
  bool committed = false;
  manager.Commit(std::move(transaction), [&committed](Result<txn::CommitOutcome> outcome) {
    committed = outcome.has_value();
  });

  const auto done = [&committed] { return committed; };
  EXPECT_FALSE(group.TurnUntil(done, 20 * Group::kTurnsPerTick));
  ASSERT_TRUE(group.node(leader).packs.Receive(record));
  EXPECT_TRUE(group.TurnUntil(done));
}

}  // namespace
}  // namespace quorate::sim
