#include "log/local_log.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/testing/log_world.h"

namespace quorate::log {
namespace {

using Calls = std::vector<std::string>;

constexpr PartitionId kPartition{7};
constexpr Identity kIdentity{.replica = ReplicaId{1}, .incarnation = 99};

class LocalLogTest : public ::testing::Test {
 protected:
  LocalLogTest() { EXPECT_TRUE(world_.store().Bootstrap(kPartition, kIdentity, "conf")); }

  // A fresh state machine over the stored log, as after a restart.
  Status Open(Position applied = kBootstrapPosition, LocalLogOptions options = {},
              bool apply_at_once = true) {
    log_ = std::make_unique<LocalLog>(kPartition, *strand_, world_.store(), options);
    machine_ = RecordingMachine();
    machine_.manager = log_.get();
    machine_.apply_at_once = apply_at_once;
    Status started;
    world_.Run(*strand_, [&] { started = log_->Start(machine_, applied); });
    return started;
  }

  void Append(const std::vector<std::string>& payloads) {
    world_.Run(*strand_, [&] {
      for (const std::string& payload : payloads) {
        EXPECT_TRUE(log_->Append(payload));
      }
    });
  }

  Code AppendCode(const std::string& payload) {
    Code code{};
    world_.Run(*strand_, [&] { code = log_->Append(payload).error().code(); });
    return code;
  }

  LogStatus StatusNow() {
    LogStatus status;
    world_.Run(*strand_, [&] { status = log_->status(); });
    return status;
  }

  void Crash() {
    log_ = nullptr;
    world_.Crash(0);
  }

  LogWorld world_;
  std::unique_ptr<env::Strand> strand_ = world_.env().NewStrand();
  RecordingMachine machine_;
  std::unique_ptr<LocalLog> log_;
};

TEST_F(LocalLogTest, LeadsAfterItsNoOpIsCommittedAndThenCommitsInOrder) {
  ASSERT_TRUE(Open());
  Append({"a", "b"});
  EXPECT_EQ(machine_.calls,
            (Calls{"committed 6@2:", "leading 2 6", "committed 7@2:a", "committed 8@2:b"}));
}

TEST_F(LocalLogTest, BurstSharesOneSync) {
  ASSERT_TRUE(Open());
  const std::uint64_t before = world_.disk().syncs();
  Append(std::vector<std::string>(100, "payload"));
  EXPECT_EQ(world_.disk().syncs(), before + 1);
  EXPECT_EQ(StatusNow().committed, Lsn{106});
}

TEST_F(LocalLogTest, AcknowledgedEntriesComeBackAfterACrashBehindTheAppliedOnes) {
  ASSERT_TRUE(Open());
  Append({"a", "b", "c"});
  Crash();

  ASSERT_TRUE(Open({.lsn = Lsn{7}, .term = Term{2}}));
  EXPECT_EQ(machine_.calls,
            (Calls{"committed 8@2:b", "committed 9@2:c", "committed 10@3:", "leading 3 10"}));
}

TEST_F(LocalLogTest, StoredEntriesAreDeliveredOnlyAsTheyAreApplied) {
  ASSERT_TRUE(Open());
  Append({"aaaaaaaa", "bbbbbbbb", "cccccccc"});
  Crash();

  ASSERT_TRUE(Open(kBootstrapPosition, {.delivery_bytes_max = 8}, /*apply_at_once=*/false));
  EXPECT_EQ(machine_.calls, (Calls{"committed 6@2:", "committed 7@2:aaaaaaaa"}));
  world_.Run(*strand_, [&] { log_->Applied(Lsn{7}); });
  world_.Run(*strand_, [&] { log_->Applied(Lsn{8}); });
  world_.Run(*strand_, [&] { log_->Applied(Lsn{9}); });
  EXPECT_EQ(machine_.calls.back(), "leading 3 10");
}

TEST_F(LocalLogTest, RefusesToAppendBeforeTheNoOpIsApplied) {
  ASSERT_TRUE(Open(kBootstrapPosition, {}, /*apply_at_once=*/false));
  EXPECT_EQ(machine_.calls.back(), "leading 2 6");
  EXPECT_EQ(AppendCode("early"), Code::kNotLeader);
  world_.Run(*strand_, [&] { log_->Applied(Lsn{6}); });
  Append({"now"});
  EXPECT_EQ(machine_.calls.back(), "committed 7@2:now");
}

TEST_F(LocalLogTest, RefusesToAppendForAMachineThatIsFenced) {
  ASSERT_TRUE(Open());
  world_.Run(*strand_, [&] { log_->Resign(); });
  EXPECT_EQ(AppendCode("more"), Code::kUnavailable);
}

TEST_F(LocalLogTest, RefusesBeyondTheBoundOnUncommittedBytes) {
  ASSERT_TRUE(Open(kBootstrapPosition, {.uncommitted_bytes_max = 10}));
  world_.Run(*strand_, [&] {
    EXPECT_TRUE(log_->Append(std::string(11, 'x')));  // Alone, however large.
    EXPECT_EQ(log_->Append("y").error().code(), Code::kResourceExhausted);
  });
  Append({"y"});  // There is room again once the first is durable.
  EXPECT_EQ(machine_.calls.back(), "committed 8@2:y");
}

TEST_F(LocalLogTest, StartRefusesAnAppliedPositionThatTheLogDoesNotHold) {
  EXPECT_EQ(Open({.lsn = Lsn{6}, .term = Term{2}}).error().code(), Code::kCorruption);
  EXPECT_EQ(Open({.lsn = Lsn{4}, .term = Term{1}}).error().code(), Code::kCorruption);
  EXPECT_EQ(Open({.lsn = Lsn{5}, .term = Term{2}}).error().code(), Code::kCorruption);
}

TEST_F(LocalLogTest, ReadBarrierAnswersTheCommittedLsn) {
  ASSERT_TRUE(Open());
  Append({"a"});
  std::optional<Lsn> answer;
  world_.Run(*strand_, [&] {
    log_->ReadBarrier([&](Result<Lsn> lsn) { answer = lsn.value(); });
    EXPECT_FALSE(answer.has_value());  // Never from inside the call.
  });
  EXPECT_EQ(answer, Lsn{7});
}

TEST_F(LocalLogTest, CompactDropsThePrefixUpToWhatIsApplied) {
  ASSERT_TRUE(Open());
  Append({"a", "b", "c"});
  world_.Run(*strand_, [&] { log_->Compact(Lsn{8}); });
  EXPECT_EQ(StatusNow().first, Lsn{9});
  EXPECT_EQ(world_.store().Load(kPartition)->truncated, (Position{Lsn{8}, Term{2}}));
  EXPECT_EQ(world_.store().Read(kPartition, Lsn{8}, Lsn{9}, 1).error().code(), Code::kNotFound);

  world_.Run(*strand_, [&] { log_->Compact(Lsn{100}); });
  EXPECT_EQ(StatusNow().first, Lsn{10});
  Append({"d"});
  Crash();
  ASSERT_TRUE(Open({.lsn = Lsn{9}, .term = Term{2}}));
  EXPECT_EQ(machine_.calls.front(), "committed 10@2:d");
}

TEST_F(LocalLogTest, StopDrainsAndThenSaysSo) {
  ASSERT_TRUE(Open());
  world_.Run(*strand_, [&] {
    EXPECT_TRUE(log_->Append("last"));
    log_->Stop([&] { machine_.calls.emplace_back("stopped"); });
    EXPECT_EQ(log_->Append("late").error().code(), Code::kUnavailable);
  });
  EXPECT_EQ(machine_.calls, (Calls{"committed 6@2:", "leading 2 6", "committed 7@2:last",
                                   "following 2 0", "stopped"}));
}

TEST_F(LocalLogTest, StopInTheMiddleOfRecoveryDeliversNoMore) {
  ASSERT_TRUE(Open());
  Append({"a"});
  Crash();
  ASSERT_TRUE(Open(kBootstrapPosition, {}, /*apply_at_once=*/false));
  world_.Run(*strand_, [&] {
    log_->Stop([&] { machine_.calls.emplace_back("stopped"); });
    log_->Applied(Lsn{7});
  });
  EXPECT_EQ(machine_.calls, (Calls{"committed 6@2:", "committed 7@2:a", "stopped"}));
}

TEST_F(LocalLogTest, StopRightAfterStartStillStops) {
  LocalLog log(kPartition, *strand_, world_.store(), {});
  bool stopped = false;
  world_.Run(*strand_, [&] {
    EXPECT_TRUE(log.Start(machine_, kBootstrapPosition));
    log.Stop([&] { stopped = true; });
  });
  EXPECT_TRUE(stopped);
  EXPECT_EQ(machine_.calls, Calls{});
}

TEST_F(LocalLogTest, FailedSyncEndsTheProcessAndAcknowledgesNothing) {
  ASSERT_TRUE(Open());
  world_.disk().FailNextSync();
  Append({"a"});
  EXPECT_EQ(world_.fatal(), Calls{"sync: injected failure"});
  EXPECT_EQ(machine_.calls.back(), "leading 2 6");
}

}  // namespace
}  // namespace quorate::log
