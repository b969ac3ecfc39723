// What a node does with a repository that is damaged, with one that it cannot make, and with those
// that nobody uses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/directory.h"
#include "cluster/node.h"
#include "cluster/partition.h"
#include "cluster/testing/world.h"
#include "env/testing/temporary_folder.h"
#include "kv/rocksdb_store.h"

namespace quorate::cluster {
namespace {

using testing::ElementsAre;

class NodeFaultsTest : public testing::TestWithParam<LogMode> {
 protected:
  // Makes the directory name repositories "name0" ... that have no partition. The node is closed.
  void NameWithoutMaking(int count) {
    ChangeDirectory([count](Directory& directory) {
      std::vector<std::future<Result<DirectoryRecord>>> adding;
      for (int i = 0; i < count; ++i) {
        auto [done, added] = World::Promise<Result<DirectoryRecord>>();
        directory.Add(
            "name" + std::to_string(i),
            {.state = DirectoryRecord::State::kReady, .default_branch = "refs/heads/main"},
            std::move(done));
        adding.push_back(std::move(added));
      }
      for (auto& one : adding) {
        ASSERT_TRUE(one.get());
      }
    });
  }

  // As if marking it as ready had failed.
  void MarkAsCreating(const std::string& name) {
    ChangeDirectory([&name](Directory& directory) {
      auto [done, marked] = World::Promise<Status>();
      directory.SetState(name, DirectoryRecord::State::kCreating, std::move(done));
      ASSERT_TRUE(marked.get());
    });
  }

  // The node is closed.
  void ChangeDirectory(const std::function<void(Directory&)>& change) {
    const auto stores = std::make_shared<NodeStores>();
    stores->store =
        kv::RocksDbStore::Open(world_.options.data_directory + "/db", {}, world_.logger).value();
    stores->states = std::make_unique<kv::GroupWriter>(*stores->store, world_.storage.NewStrand());
    stores->logs =
        std::make_unique<log::LogStore>(*stores->store, world_.storage.NewStrand(),
                                        log::LogStoreOptions{}, world_.logger, world_.metrics);
    auto [opened, opening] = World::Promise<Result<std::shared_ptr<Partition>>>();
    Partition::Open({.id = kMetaPartition, .log_mode = GetParam()}, world_.env(), stores,
                    std::move(opened));
    std::shared_ptr<Partition> meta = opening.get().value();
    {
      const auto strand = world_.storage.NewStrand();
      Directory directory(meta->transactions(), *strand);
      ASSERT_TRUE(directory.Load());
      change(directory);
    }
    std::promise<void> stopped;
    meta->Stop([&stopped] { stopped.set_value(); });
    stopped.get_future().wait();
    meta.reset();
    ASSERT_TRUE(stores->census->WaitUntilNone(std::chrono::minutes(1)));
  }

  std::vector<std::string> Fenced() {
    std::vector<std::string> names;
    const auto all = world_.node->DescribePartitions().value();
    for (const PartitionDescription& one : all) {
      if (one.fenced) {
        names.insert(names.end(), one.repositories.begin(), one.repositories.end());
      }
    }
    return names;
  }

  double open_partitions() { return world_.metrics.Value("quorate_partitions_open").value(); }

  const env::TemporaryFolder folder_;
  World world_{folder_.path() + "/data", GetParam()};
};

TEST_P(NodeFaultsTest, ADamagedEntryFencesOneRepositoryAndItsNeighboursGoOn) {
  ASSERT_TRUE(world_.Open());
  for (const char* name : {"before", "damaged", "behind"}) {
    ASSERT_TRUE(World::Write(**world_.Create(name), "k", "v"));
  }
  const PartitionId damaged = world_.Find("damaged").value()->partition();
  world_.Close();
  ASSERT_TRUE(world_.DamageNewestEntry(damaged));

  ASSERT_TRUE(world_.Open());

  for (int ask = 0; ask < 2; ++ask) {
    const World::Found found = world_.Find("damaged");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kCorruption) << found.error().ToString();
  }
  EXPECT_THAT(Fenced(), ElementsAre("damaged"));
  for (const char* name : {"before", "behind"}) {
    const auto neighbour = world_.Find(name);
    ASSERT_TRUE(neighbour) << neighbour.error().ToString();
    EXPECT_EQ(World::Read(**neighbour, "k").value(), "v");
    EXPECT_TRUE(World::Write(**neighbour, "k", "w"));
  }
  EXPECT_TRUE(world_.Create("another"));
  EXPECT_TRUE(world_.Delete("damaged"));
  EXPECT_TRUE(world_.Create("damaged"));
  EXPECT_TRUE(Fenced().empty());
}

// It is opened once, and all who wait for that hear the same; nobody else waits.
TEST_P(NodeFaultsTest, WhoeverWaitsForAnOpeningThatFailsIsToldWhy) {
  ASSERT_TRUE(world_.Open());
  const PartitionId damaged = world_.Create("damaged").value()->partition();
  ASSERT_TRUE(world_.Create("sound"));
  world_.Close();
  ASSERT_TRUE(world_.DamageNewestEntry(damaged));
  ASSERT_TRUE(world_.Open());

  std::vector<std::future<World::Found>> asked;
  for (int i = 0; i < 20; ++i) {
    auto [done, found] = World::Promise<World::Found>();
    world_.node->FindRepository("damaged", std::move(done));
    asked.push_back(std::move(found));
  }
  EXPECT_TRUE(world_.Find("sound"));
  for (auto& one : asked) {
    const World::Found found = one.get();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kCorruption);
  }
  EXPECT_EQ(world_.logger.Count("repository cannot be opened repository=damaged"), 1);
}

TEST_P(NodeFaultsTest, AHandleThatIsHeldWhileItsNodeStopsGetsErrors) {
  ASSERT_TRUE(world_.Open());
  auto held = world_.Create("a").value();

  world_.node->Stop();

  EXPECT_EQ(held->transactions().Begin({}).error().code(), Code::kUnavailable);
  EXPECT_FALSE(World::Write(*held, "k", "v"));
  EXPECT_EQ(world_.Find("a").error().code(), Code::kUnavailable);
  held.reset();
  world_.node.reset();
}

// Something stands where the new partition's directory should be.
TEST_P(NodeFaultsTest, ACreationThatFailsHalfWayLeavesNothing) {
  ASSERT_TRUE(world_.Open());
  const PartitionId last = world_.Create("a").value()->partition();
  const std::string in_the_way =
      world_.options.data_directory + "/partitions/" + std::to_string(last.value + 1);
  ASSERT_TRUE(world_.files.WriteFile(in_the_way, "not a directory"));

  EXPECT_FALSE(world_.Create("b"));

  EXPECT_EQ(world_.logger.Count("repository not created repository=b"), 1);
  EXPECT_EQ(world_.Find("b").error().code(), Code::kNotFound);
  EXPECT_EQ(world_.node->ListRepositories()->size(), 1U);
  EXPECT_EQ(world_.node->DescribePartitions()->size(), 2U);  // Meta, and that of "a".
  EXPECT_FALSE(world_.files.Exists(in_the_way));
  const auto again = world_.Create("b");
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_TRUE(World::Write(**again, "k", "v"));
}

// It was finished, and pushed to, though its record does not say so.
TEST_P(NodeFaultsTest, ACreationThatIsResumedAndFailsDestroysNothing) {
  ASSERT_TRUE(world_.Open());
  PartitionId partition;
  {
    const auto created = world_.Create("a").value();
    ASSERT_TRUE(World::Write(*created, "k", "v"));
    partition = created->partition();
  }
  world_.Close();
  MarkAsCreating("a");
  ASSERT_TRUE(world_.DamageNewestEntry(partition));

  ASSERT_TRUE(world_.Open());

  EXPECT_EQ(world_.Find("a").error().code(), Code::kCorruption);
  EXPECT_TRUE(world_.files.Exists(world_.options.data_directory + "/partitions/" +
                                  std::to_string(partition.value)));
}

TEST_P(NodeFaultsTest, ARepositoryThatNobodyUsesIsClosedAndOpenedWhenAskedFor) {
  world_.options.sync_interval = std::chrono::milliseconds(1);
  world_.options.idle_close_after = std::chrono::nanoseconds(0);
  ASSERT_TRUE(world_.Open());
  const auto held = world_.Create("held").value();
  ASSERT_TRUE(World::Write(**world_.Create("unused"), "k", "v"));

  while (open_partitions() > 1) {
    std::this_thread::yield();
  }

  EXPECT_TRUE(World::Write(*held, "k", "v"));  // The round that closed the other left it alone.
  EXPECT_EQ(World::Read(*world_.Find("unused").value(), "k").value(), "v");
}

// Reads the names, but touches no partition: theirs are not even there.
TEST_P(NodeFaultsTest, AStartOpensNoneOfAThousandRepositories) {
  constexpr int kRepositories = 1000;
  ASSERT_TRUE(world_.Open());
  ASSERT_TRUE(World::Write(**world_.Create("real"), "k", "v"));
  world_.Close();
  NameWithoutMaking(kRepositories);

  ASSERT_TRUE(world_.Open());

  EXPECT_EQ(world_.node->ListRepositories()->size(), 1U + kRepositories);
  EXPECT_EQ(open_partitions(), 0);
  EXPECT_EQ(world_.logger.Count("repository cannot be opened"), 0);
  EXPECT_EQ(World::Read(*world_.Find("real").value(), "k").value(), "v");
  EXPECT_EQ(world_.Find("name777").error().code(), Code::kCorruption);
}

INSTANTIATE_TEST_SUITE_P(Modes, NodeFaultsTest, testing::Values(LogMode::kRaft, LogMode::kLocal),
                         [](const auto& tested) {
                           return tested.param == LogMode::kRaft ? "Raft" : "Local";
                         });

}  // namespace
}  // namespace quorate::cluster
