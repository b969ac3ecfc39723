#include "cluster/node.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/testing/world.h"
#include "env/testing/temporary_folder.h"

namespace quorate::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Code CodeOf(const auto& result) {
  return result ? Code::kInternal : result.error().code();
}

class NodeTest : public testing::TestWithParam<LogMode> {
 protected:
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const auto list = world_.node->ListRepositories();
    for (const RepositoryDescription& one : list.value()) {
      names.push_back(one.name);
    }
    return names;
  }

  const env::TemporaryFolder folder_;
  World world_{folder_.path() + "/data", GetParam()};
};

TEST_P(NodeTest, CreatedRepositoriesAreFoundListedAndUsable) {
  ASSERT_TRUE(world_.Open());

  const auto created = world_.Create("group/project");
  ASSERT_TRUE(created) << created.error().ToString();
  ASSERT_TRUE(world_.Create("alone"));

  EXPECT_EQ((*created)->name(), "group/project");
  EXPECT_EQ((*created)
                ->transactions()
                .LocalSnapshot()
                .value()
                .FindRepository((*created)->id())
                .value()
                ->head.symref,
            "refs/heads/main");
  EXPECT_EQ(world_.Find("group/project").value(), *created);
  EXPECT_TRUE(World::Write(**created, "k", "v"));
  EXPECT_EQ(World::Read(**created, "k").value(), "v");
  EXPECT_THAT(Names(), ElementsAre("alone", "group/project"));
}

TEST_P(NodeTest, WhatIsThereSurvivesARestart) {
  ASSERT_TRUE(world_.Open());
  PartitionId partition;
  {
    const auto created = world_.Create("a").value();
    partition = created->partition();
    ASSERT_TRUE(World::Write(*created, "k", "v"));
  }
  world_.Close();

  ASSERT_TRUE(world_.Open());

  EXPECT_THAT(Names(), ElementsAre("a"));
  const auto found = world_.Find("a").value();
  EXPECT_EQ(found->partition(), partition);
  EXPECT_EQ(World::Read(*found, "k").value(), "v");
  EXPECT_TRUE(World::Write(*found, "k", "w"));
  EXPECT_GT(world_.Create("b").value()->partition(), partition);
}

TEST_P(NodeTest, RefusesWhatCannotBe) {
  ASSERT_TRUE(world_.Open());
  ASSERT_TRUE(world_.Create("a"));

  EXPECT_EQ(CodeOf(world_.Create("a")), Code::kAlreadyExists);
  EXPECT_EQ(CodeOf(world_.Create("a.git")), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(world_.Create("api/a")), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(world_.Find("b")), Code::kNotFound);
  EXPECT_EQ(CodeOf(world_.Delete("b")), Code::kNotFound);
}

TEST_P(NodeTest, ADeletedNameIsFreeAndItsDataGone) {
  ASSERT_TRUE(world_.Open());
  const auto old = world_.Create("a").value();
  const std::string directory =
      fmt::format("{}/partitions/{}", world_.options.data_directory, old->partition().value);
  ASSERT_TRUE(World::Write(*old, "k", "v"));
  ASSERT_TRUE(world_.files.Exists(directory));

  ASSERT_TRUE(world_.Delete("a"));

  EXPECT_FALSE(world_.files.Exists(directory));
  EXPECT_EQ(CodeOf(world_.Find("a")), Code::kNotFound);
  EXPECT_THAT(Names(), IsEmpty());
  const auto anew = world_.Create("a").value();
  EXPECT_NE(anew->partition(), old->partition());
  EXPECT_EQ(World::Read(*anew, "k").value(), std::nullopt);
}

TEST_P(NodeTest, AHandleOfADeletedRepositoryGetsErrors) {
  ASSERT_TRUE(world_.Open());
  const auto old = world_.Create("a").value();

  ASSERT_TRUE(world_.Delete("a"));

  EXPECT_FALSE(World::Write(*old, "k", "v"));
  EXPECT_FALSE(World::Read(*old, "k"));
}

TEST_P(NodeTest, OneOfManyCreatorsOfANameWins) {
  ASSERT_TRUE(world_.Open());
  std::vector<std::future<World::Found>> results;
  for (int i = 0; i < 8; ++i) {
    results.push_back(world_.CreateLater("same"));
    results.push_back(world_.CreateLater(fmt::format("other-{}", i)));
  }

  int won = 0;
  int others = 0;
  std::set<PartitionId> partitions;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const World::Found result = results[i].get();
    (i % 2 == 0 ? won : others) += result ? 1 : 0;
    if (result) {
      partitions.insert((*result)->partition());
    } else {
      EXPECT_EQ(result.error().code(), Code::kAlreadyExists) << result.error().ToString();
    }
  }

  EXPECT_EQ(won, 1);
  EXPECT_EQ(others, 8);
  EXPECT_EQ(partitions.size(), 9U) << "each has a partition of its own";
  EXPECT_EQ(Names().size(), 9U);
}

TEST_P(NodeTest, ConcurrentAskersShareOneOpening) {
  ASSERT_TRUE(world_.Open());
  ASSERT_TRUE(world_.Create("a"));
  world_.Close();
  ASSERT_TRUE(world_.Open());

  std::vector<std::future<World::Found>> results;
  for (int i = 0; i < 20; ++i) {
    auto [done, result] = World::Promise<World::Found>();
    world_.node->FindRepository("a", std::move(done));
    results.push_back(std::move(result));
  }
  const auto first = results.front().get().value();

  for (std::size_t i = 1; i < results.size(); ++i) {
    EXPECT_EQ(results[i].get().value(), first);
  }
}

TEST_P(NodeTest, ASecondNodeOnTheSameDataIsRefused) {
  ASSERT_TRUE(world_.Open());
  World other(world_.options.data_directory, GetParam());

  const Status opened = other.Open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(opened.error().message(), HasSubstr("is in use by another process"));
}

TEST_P(NodeTest, ForOneMoreTheLeastRecentlyUsedIsClosed) {
  world_.options.open_partitions_max = 2;
  ASSERT_TRUE(world_.Open());
  ASSERT_TRUE(world_.Create("first"));
  ASSERT_TRUE(world_.Create("second"));
  world_.Close();  // Else their creation may still use them.
  ASSERT_TRUE(world_.Open());
  const std::weak_ptr<Repository> first = world_.Find("first").value();
  const std::weak_ptr<Repository> second = world_.Find("second").value();
  ASSERT_TRUE(World::Write(*world_.Find("first").value(), "k", "v"));
  while (first.use_count() > 1 || second.use_count() > 1) {
    std::this_thread::yield();  // Whoever brought us the handle still has it.
  }

  ASSERT_TRUE(world_.Create("third"));
  while (!first.expired() && !second.expired()) {
    std::this_thread::yield();
  }

  EXPECT_TRUE(second.expired());
  EXPECT_FALSE(first.expired());
}

TEST_P(NodeTest, OpensMoreThanItKeepsOpen) {
  world_.options.open_partitions_max = 3;
  ASSERT_TRUE(world_.Open());

  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 6; ++i) {
      const std::string name = fmt::format("r{}", i);
      const World::Found one = round == 0 ? world_.Create(name) : world_.Find(name);
      ASSERT_TRUE(one) << one.error().ToString();
      ASSERT_TRUE(World::Write(**one, "k", fmt::format("{}", round)));
    }
  }

  EXPECT_LE(world_.metrics.Value("quorate_partitions_open").value(), 4);
}

TEST_P(NodeTest, RefusesToOpenMoreWhenAllAreInUse) {
  world_.options.open_partitions_max = 2;
  ASSERT_TRUE(world_.Open());
  const auto a = world_.Create("a").value();
  const auto b = world_.Create("b").value();

  EXPECT_EQ(CodeOf(world_.Create("c")), Code::kResourceExhausted);
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

TEST_P(NodeTest, DescribesOpenAndClosedPartitions) {
  ASSERT_TRUE(world_.Open());
  const NodeId self = world_.node->id();
  ASSERT_TRUE(world_.Create("a"));
  world_.Close();
  ASSERT_TRUE(world_.Open());
  const auto open = world_.Create("b").value();

  const auto all = world_.node->DescribePartitions().value();

  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].id, kMetaPartition);
  EXPECT_THAT(all[1].repositories, ElementsAre("a"));
  EXPECT_THAT(all[2].repositories, ElementsAre("b"));
  for (const PartitionDescription& one : all) {
    EXPECT_EQ(one.leader, self);
    EXPECT_THAT(one.voters, ElementsAre(self));
    EXPECT_GT(one.applied, kBootstrapPosition.lsn);
    EXPECT_FALSE(one.fenced);
  }
}

TEST_P(NodeTest, AFullDiskRefusesCreation) {
  world_.options.free_bytes_min = UINT64_MAX;
  ASSERT_TRUE(world_.Open());

  EXPECT_EQ(CodeOf(world_.node->CheckWritable()), Code::kResourceExhausted);
  EXPECT_EQ(CodeOf(world_.Create("a")), Code::kResourceExhausted);
}

// Whatever is under way when the node stops is answered.
TEST_P(NodeTest, StopLosesNoCallback) {
  ASSERT_TRUE(world_.Open());
  std::vector<std::future<World::Found>> creations;
  std::vector<std::future<Status>> deletions;
  for (int i = 0; i < 10; ++i) {
    creations.push_back(world_.CreateLater(fmt::format("r{}", i)));
    auto [done, result] = World::Promise<Status>();
    world_.node->DeleteRepository(fmt::format("r{}", i), std::move(done));
    deletions.push_back(std::move(result));
  }

  world_.Close();

  for (auto& one : creations) {
    static_cast<void>(one.get());  // Either way; but it comes.
  }
  for (auto& one : deletions) {
    const Status deleted = one.get();
    EXPECT_TRUE(deleted || deleted.error().code() == Code::kUnavailable);
  }
}

TEST_P(NodeTest, StrayPartitionDirectoriesAreRemovedAndUnknownOnesKept) {
  ASSERT_TRUE(world_.Open());
  ASSERT_TRUE(world_.Create("a"));
  ASSERT_TRUE(world_.Create("b"));
  const PartitionId gone = world_.Find("b").value()->partition();
  ASSERT_TRUE(world_.Delete("b"));
  world_.Close();
  const std::string partitions = world_.options.data_directory + "/partitions/";
  ASSERT_TRUE(world_.files.CreateDirectories(partitions + std::to_string(gone.value)));
  ASSERT_TRUE(world_.files.CreateDirectories(partitions + "123456789"));

  ASSERT_TRUE(world_.Open());

  EXPECT_FALSE(world_.files.Exists(partitions + std::to_string(gone.value)));
  EXPECT_TRUE(world_.files.Exists(partitions + "123456789"));
  EXPECT_EQ(world_.logger.Count("unknown partition left alone"), 1);
  EXPECT_TRUE(world_.Find("a"));
}

std::string ModeName(const testing::TestParamInfo<LogMode>& mode) {
  return mode.param == LogMode::kRaft ? "Raft" : "Local";
}

INSTANTIATE_TEST_SUITE_P(Modes, NodeTest, testing::Values(LogMode::kRaft, LogMode::kLocal),
                         ModeName);

// Both keep the same log: what one wrote the other goes on from.
TEST(LogModeChangeTest, RaftIsTakenUpPutDownAndTakenUpAgain) {
  const env::TemporaryFolder folder;
  Lsn last;
  int written = 0;
  for (const LogMode mode : {LogMode::kLocal, LogMode::kRaft, LogMode::kLocal, LogMode::kRaft}) {
    World world(folder.path() + "/data", mode);
    ASSERT_TRUE(world.Open());
    const auto repository = written == 0 ? world.Create("a") : world.Find("a");
    ASSERT_TRUE(repository) << repository.error().ToString();
    for (int i = 0; i < written; ++i) {
      EXPECT_EQ(World::Read(**repository, std::to_string(i)).value(), "v") << i;
    }
    const Lsn applied = (*repository)->transactions().status().applied;
    EXPECT_GT(applied, last);
    last = applied;
    ASSERT_TRUE(World::Write(**repository, std::to_string(written++), "v"));
  }
}

// Prints how long; asserts nothing about time. QUORATE_REPOSITORIES sets how many.
TEST(NodeSizeTest, ManyRepositoriesReopen) {
  const char* wanted = std::getenv("QUORATE_REPOSITORIES");
  const int count = wanted != nullptr ? std::atoi(wanted) : 100;
  const env::TemporaryFolder folder;
  World world(folder.path() + "/data", LogMode::kRaft);
  ASSERT_TRUE(world.Open());
  const auto begun = world.clock.Monotonic();
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(world.Create(fmt::format("many/r{}", i)));
  }
  const auto created = world.clock.Monotonic();
  world.Close();
  const auto closed = world.clock.Monotonic();
  ASSERT_TRUE(world.Open());
  const auto opened = world.clock.Monotonic();

  EXPECT_EQ(world.node->ListRepositories().value().size(), static_cast<std::size_t>(count));
  EXPECT_TRUE(world.Find("many/r7"));
  const auto found = world.clock.Monotonic();
  const auto ms = [](std::chrono::nanoseconds took) { return took / std::chrono::microseconds(1); };
  std::cout << fmt::format(
      "{} repositories: create {} us each, close {} us, open {} us, find {} us\n", count,
      ms(created - begun) / count, ms(closed - created), ms(opened - closed), ms(found - opened));
}

}  // namespace
}  // namespace quorate::cluster
