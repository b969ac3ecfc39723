#include "raft/replica.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "raft/testing/cluster.h"

namespace quorate::raft {
namespace {

constexpr ReplicaId kOne{1};

class Notes final : public MachineObserver {
 public:
  void OnCommitted(ReplicaId, const consensus::Entry& entry) override {
    lines.push_back("committed " + std::to_string(entry.lsn.value) + " " + entry.data);
  }
  void OnLeading(ReplicaId, Term term, Lsn no_op) override {
    lines.push_back("leads " + std::to_string(term.value) + " from " + std::to_string(no_op.value));
  }
  void OnFollowing(ReplicaId, Term, ReplicaId) override { lines.push_back("follows"); }
  void OnFenced(ReplicaId, const Error& reason) override {
    lines.push_back("fenced " + std::string(CodeName(reason.code())));
  }

  std::vector<std::string> lines;
};

class SoleVoterTest : public testing::Test {
 protected:
  static ClusterOptions Options() {
    ClusterOptions options;
    options.replicas = 1;
    options.replica.uncommitted_bytes_max = 1 << 20;
    return options;
  }

  void Start() {
    ASSERT_TRUE(cluster_.Start(kOne).has_value());
    cluster_.env().RunUntilIdle();
  }

  std::string Append(std::string data) {
    std::string answer;
    cluster_.Run(kOne, [&] {
      const auto position = cluster_.replica(kOne)->Append(std::move(data));
      answer = position ? std::to_string(position->lsn.value)
                        : std::string(CodeName(position.error().code()));
    });
    return answer;
  }

  Notes notes_;
  Cluster cluster_{Options(), notes_};
};

TEST_F(SoleVoterTest, LeadsAfterOneSyncWithoutATick) {
  const std::uint64_t before = cluster_.store(kOne).syncs();

  Start();

  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"committed 6 ", "leads 2 from 6"}));
  EXPECT_EQ(cluster_.store(kOne).syncs() - before, 1U);
  bool wants_ticks = true;
  cluster_.Run(kOne, [&] { wants_ticks = cluster_.replica(kOne)->WantsTicks(); });
  EXPECT_FALSE(wants_ticks);
}

TEST_F(SoleVoterTest, ABurstSharesOneSync) {
  Start();
  notes_.lines.clear();
  const std::uint64_t before = cluster_.store(kOne).syncs();

  cluster_.Run(kOne, [&] {
    EXPECT_EQ(cluster_.replica(kOne)->Append("a")->lsn, Lsn{7});
    EXPECT_EQ(cluster_.replica(kOne)->Append("b")->lsn, Lsn{8});
    EXPECT_EQ(cluster_.replica(kOne)->status().last, Lsn{8});
  });

  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"committed 7 a", "committed 8 b"}));
  EXPECT_EQ(cluster_.store(kOne).syncs() - before, 1U);
}

TEST_F(SoleVoterTest, ACommitIsWrittenWithAChangeOfTheConfigurationNotForItsOwnSake) {
  const auto written = [&] {
    return cluster_.logs(kOne).Load(Cluster::kPartition)->hard_state.commit;
  };
  Start();
  const Lsn before = written();
  EXPECT_EQ(Append("a"), "7");
  EXPECT_EQ(Append("b"), "8");
  EXPECT_EQ(written(), before);

  cluster_.Run(kOne, [&] {
    const auto change = cluster_.replica(kOne)->ProposeConfChange(
        {.changes = {{.kind = consensus::ConfChangeKind::kAddLearner, .replica = ReplicaId{9}}},
         .context = {}});
    ASSERT_EQ(change->lsn, Lsn{9});
  });

  EXPECT_EQ(written(), Lsn{9});
}

// Though the engine says nothing of it: to it, that is how it began.
TEST(FollowerTest, WhatWasAppliedBeforeARestartIsWrittenAsCommittedWithTheNextChange) {
  constexpr ReplicaId kFollower{2};
  Notes notes;
  ClusterOptions options;
  options.replicas = 3;
  Cluster cluster(options, notes);
  for (const ReplicaId id : cluster.ids()) {
    ASSERT_TRUE(cluster.Start(id).has_value());
  }
  const auto append = [&] {
    cluster.Run(kOne, [&] { ASSERT_TRUE(cluster.replica(kOne)->Append("x").has_value()); });
    cluster.Settle();
  };
  cluster.Run(kOne, [&] { ASSERT_TRUE(cluster.replica(kOne)->Campaign().has_value()); });
  cluster.Settle();
  append();
  cluster.Heartbeat(kOne);
  const auto stored = [&] { return cluster.logs(kFollower).Load(Cluster::kPartition).value(); };
  EXPECT_EQ(cluster.machine(kFollower).applied().lsn, Lsn{7});
  EXPECT_LT(stored().hard_state.commit, Lsn{7});
  cluster.Crash(kFollower, 1000);
  ASSERT_TRUE(cluster.Start(kFollower).has_value());
  append();
  EXPECT_EQ(stored().last, Lsn{8});
  EXPECT_LT(stored().hard_state.commit, Lsn{7});

  cluster.Run(kOne, [&] {
    const auto change = cluster.replica(kOne)->ProposeConfChange(
        {.changes = {{.kind = consensus::ConfChangeKind::kAddLearner, .replica = ReplicaId{9}}},
         .context = {}});
    ASSERT_EQ(change->lsn, Lsn{9});
  });
  while (stored().last < Lsn{9}) {
    cluster.network().Turn();
    cluster.env().RunUntilIdle();
  }

  EXPECT_GE(stored().hard_state.commit,
            Lsn{7});  // Before it can hear that the change is committed.
  EXPECT_LT(stored().hard_state.commit, Lsn{9});
}

TEST_F(SoleVoterTest, CommitsNothingBeforeTheSync) {
  Start();
  notes_.lines.clear();
  cluster_.disk(kOne).Shut();

  EXPECT_EQ(Append("a"), "7");
  EXPECT_TRUE(notes_.lines.empty());
  cluster_.disk(kOne).Open();
  cluster_.env().RunUntilIdle();

  EXPECT_EQ(notes_.lines, std::vector<std::string>{"committed 7 a"});
}

TEST_F(SoleVoterTest, RestartContinuesAtOnceAndRedoesWhatTheMachineLost) {
  Start();
  EXPECT_EQ(Append("a"), "7");
  notes_.lines.clear();

  cluster_.Crash(kOne, 0);  // The machine's writes were not synced.
  Start();

  EXPECT_EQ(notes_.lines,
            (std::vector<std::string>{"committed 7 a", "committed 8 ", "leads 3 from 8"}));
  EXPECT_EQ(Append("b"), "9");
}

TEST_F(SoleVoterTest, RefusesBeyondTheBoundOnUncommittedBytes) {
  Start();
  cluster_.disk(kOne).Shut();

  EXPECT_EQ(Append(std::string(2 << 20, 'x')), "7");  // One always fits.
  EXPECT_EQ(Append("a"), "resource_exhausted");
  cluster_.disk(kOne).Open();
  cluster_.env().RunUntilIdle();

  EXPECT_EQ(Append("a"), "8");
}

TEST_F(SoleVoterTest, AnswersReadsWithoutTicksOnceItLeads) {
  ASSERT_TRUE(cluster_.Start(kOne).has_value());
  std::vector<Lsn> answers;

  cluster_.Run(kOne, [&] {  // Not leading yet: waits for that.
    for (int i = 0; i < 2; ++i) {
      cluster_.replica(kOne)->ReadBarrier([&](Result<Lsn> lsn) { answers.push_back(*lsn); });
    }
  });

  EXPECT_EQ(answers, (std::vector<Lsn>{Lsn{6}, Lsn{6}}));
}

// A learner could be a voter by the next entry, and lead before we have applied that.
TEST_F(SoleVoterTest, CommitsAloneUntilASecondMemberIsProposed) {
  ASSERT_TRUE(cluster_.Start(kOne).has_value());
  EXPECT_FALSE(cluster_.replica(kOne)->CommitsAlone());
  cluster_.env().RunUntilIdle();
  EXPECT_TRUE(cluster_.replica(kOne)->CommitsAlone());
  cluster_.disk(kOne).Shut();

  cluster_.Run(kOne, [&] {
    consensus::ConfChange change;
    change.changes = {{.kind = consensus::ConfChangeKind::kAddLearner, .replica = ReplicaId{2}}};
    EXPECT_TRUE(cluster_.replica(kOne)->ProposeConfChange(change).has_value());
    EXPECT_FALSE(cluster_.replica(kOne)->CommitsAlone());
  });

  EXPECT_FALSE(cluster_.replica(kOne)->CommitsAlone());
  cluster_.disk(kOne).Open();
  cluster_.env().RunUntilIdle();
  EXPECT_FALSE(cluster_.replica(kOne)->CommitsAlone());
}

TEST_F(SoleVoterTest, CommitsNothingAloneOnceItStops) {
  Start();

  cluster_.Run(kOne, [&] {
    cluster_.replica(kOne)->Stop([] {});
    EXPECT_FALSE(cluster_.replica(kOne)->CommitsAlone());
  });
}

TEST(ReplicaTest, OneOfThreeNeverCommitsAlone) {
  Notes notes;
  Cluster cluster(ClusterOptions{}, notes);
  for (const ReplicaId id : cluster.ids()) {
    ASSERT_TRUE(cluster.Start(id).has_value());
  }
  cluster.Run(kOne, [&] { EXPECT_TRUE(cluster.replica(kOne)->Campaign().has_value()); });
  while (!cluster.network().empty()) {
    cluster.network().Turn();
    cluster.env().RunUntilIdle();
  }

  ASSERT_TRUE(cluster.StatusOf(kOne).leading);
  EXPECT_FALSE(cluster.replica(kOne)->CommitsAlone());
}

TEST_F(SoleVoterTest, CompactedLogSurvivesARestart) {
  Start();
  for (int i = 0; i < 10; ++i) {
    Append("entry");
  }

  cluster_.Run(kOne, [&] { cluster_.replica(kOne)->Compact(Lsn{12}); });
  EXPECT_EQ(cluster_.StatusOf(kOne).first, Lsn{13});
  Append("synced");
  cluster_.Crash(kOne, 0);
  Start();

  EXPECT_EQ(cluster_.StatusOf(kOne).first, Lsn{13});
  EXPECT_EQ(cluster_.StatusOf(kOne).applied, Lsn{18});
}

TEST_F(SoleVoterTest, StopWaitsForWritesAndRefusesWork) {
  Start();
  cluster_.disk(kOne).Shut();
  Append("a");
  notes_.lines.clear();
  bool stopped = false;

  cluster_.Run(kOne, [&] { cluster_.replica(kOne)->Stop([&] { stopped = true; }); });
  EXPECT_FALSE(stopped);
  EXPECT_EQ(Append("b"), "unavailable");
  cluster_.disk(kOne).Open();
  cluster_.env().RunUntilIdle();

  EXPECT_TRUE(stopped);
  EXPECT_EQ(notes_.lines, std::vector<std::string>{"follows"});
}

TEST_F(SoleVoterTest, StateBeyondTheLogIsCorruption) {
  Start();
  Append("a");
  class Blind final : public log::StateMachine {
    void OnCommitted(std::vector<consensus::Entry>) override {}
    void OnLeading(Term, Lsn) override {}
    void OnFollowing(Term, ReplicaId) override {}
    void OnFenced(const Error&) override {}
  } machine;
  env::NullLogger logger;
  env::FakeMetrics metrics;
  const std::unique_ptr<env::Strand> strand = cluster_.env().NewStrand();
  Replica other(Cluster::kPartition,
                {.strand = *strand,
                 .logs = cluster_.logs(kOne),
                 .transport = cluster_.network().transport(),
                 .random = cluster_.env(),
                 .logger = logger,
                 .metrics = metrics},
                {});

  std::vector<std::string> codes;
  strand->Post([&] {
    for (const Position applied : {Position{Lsn{900}, Term{2}}, Position{Lsn{7}, Term{9}}}) {
      codes.emplace_back(CodeName(other.Start(machine, applied).error().code()));
    }
  });
  cluster_.env().RunUntilIdle();

  EXPECT_EQ(codes, (std::vector<std::string>{"corruption", "corruption"}));
}

}  // namespace
}  // namespace quorate::raft
