#include "cluster/watched_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "env/testing/manual_env.h"

namespace quorate::cluster {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Lsn kNoOp{8};
constexpr Term kTerm{2};

// Does what the test says, and notes what it was asked.
class FakeLog final : public log::LogManager {
 public:
  explicit FakeLog(FakeLog*& self) { self = this; }

  Status Start(log::StateMachine& to, Position /*applied*/) override {
    machine = &to;
    return Ok();
  }
  Result<Position> Append(std::string data) override {
    if (data == "refused") {
      return Error(Code::kNotLeader, "no");
    }
    return Position{.lsn = Lsn{9}, .term = kTerm};
  }
  void Applied(Lsn lsn) override { now.applied = lsn; }
  void ReadBarrier(ReadDone done) override { std::move(done)(now.applied); }
  bool CommitsAlone() const override { return now.leading; }
  void Compact(Lsn lsn) override { now.first = lsn.Next(); }
  void Resign() override { resigned = true; }
  log::LogStatus status() const override { return now; }
  void Stop(Callback<> done) override { std::move(done)(); }

  log::StateMachine* machine = nullptr;
  log::LogStatus now;
  bool resigned = false;
};

class WatchedLogTest : public testing::Test, public log::StateMachine, public LogWatcher {
 protected:
  WatchedLogTest() {
    On([&] { ASSERT_TRUE(log_->Start(*this, {.lsn = Lsn{5}, .term = Term{1}})); });
  }

  void OnCommitted(std::vector<consensus::Entry> entries) override {
    Note(fmt::format("machine: {} committed", entries.size()));
  }
  void OnLeading(Term term, Lsn no_op) override {
    Note(fmt::format("machine: leading {} {}", term.value, no_op.value));
  }
  void OnFollowing(Term term, ReplicaId /*leader*/) override {
    Note(fmt::format("machine: following {}", term.value));
  }
  void OnFenced(const Error& reason) override { Note("fenced: " + reason.message()); }
  void OnReady(Term term, Lsn no_op) override {
    Note(fmt::format("watcher: ready {} {}", term.value, no_op.value));
  }
  void OnAppended(std::size_t bytes) override { Note(fmt::format("watcher: {} bytes", bytes)); }

  void Note(std::string what) { notes_.push_back(std::move(what)); }

  void On(env::Task task) {
    strand_->Post(std::move(task));
    env_.RunUntilIdle();
  }

  env::ManualEnv env_;
  const std::unique_ptr<env::Strand> strand_ = env_.NewStrand();
  FakeLog* fake_ = nullptr;
  const std::unique_ptr<WatchedLog> log_ =
      std::make_unique<WatchedLog>(std::make_unique<FakeLog>(fake_), *strand_, *this);
  std::vector<std::string> notes_;
};

TEST_F(WatchedLogTest, ReadyOnceTheNoOpIsApplied) {
  On([&] { fake_->machine->OnLeading(kTerm, kNoOp); });
  On([&] { log_->Applied(Lsn{7}); });
  EXPECT_THAT(notes_, ElementsAre("machine: leading 2 8"));

  On([&] {
    log_->Applied(kNoOp);
    Note("applied");
  });
  On([&] { log_->Applied(Lsn{9}); });

  // After the call that made it so, and once only.
  EXPECT_THAT(notes_, ElementsAre("machine: leading 2 8", "applied", "watcher: ready 2 8"));
}

TEST_F(WatchedLogTest, ReadyAtOnceWhenTheNoOpWasAppliedBefore) {
  On([&] { log_->Applied(kNoOp); });
  On([&] { fake_->machine->OnLeading(kTerm, kNoOp); });

  EXPECT_THAT(notes_, ElementsAre("machine: leading 2 8", "watcher: ready 2 8"));
}

TEST_F(WatchedLogTest, NotReadyWhenTheLeadIsLostBeforeTheNoOpIsApplied) {
  On([&] { fake_->machine->OnLeading(kTerm, kNoOp); });
  On([&] { fake_->machine->OnFollowing(Term{3}, ReplicaId{2}); });
  On([&] { log_->Applied(kNoOp); });

  EXPECT_THAT(notes_, ElementsAre("machine: leading 2 8", "machine: following 3",
                                  "machine: following 3"));  // The watcher hears it too.
}

TEST_F(WatchedLogTest, CountsWhatWasAppendedAndNotWhatWasRefused) {
  On([&] {
    EXPECT_TRUE(log_->Append("12345"));
    EXPECT_FALSE(log_->Append("refused"));
  });

  EXPECT_THAT(notes_, ElementsAre("watcher: 5 bytes"));
}

TEST_F(WatchedLogTest, MembersChangeWithLeadersAndConfigurations) {
  fake_->now = {.term = kTerm,
                .leading = true,
                .leader = ReplicaId{1},
                .voters = {ReplicaId{1}},
                .learners = {},
                .first = {},
                .last = {},
                .durable = {},
                .committed = {},
                .applied = {}};
  EXPECT_THAT(log_->members().voters, IsEmpty());

  On([&] { fake_->machine->OnLeading(kTerm, kNoOp); });
  EXPECT_TRUE(log_->members().leading);
  EXPECT_THAT(log_->members().voters, ElementsAre(ReplicaId{1}));

  fake_->now.voters.push_back(ReplicaId{2});
  On([&] { fake_->machine->OnCommitted({{.lsn = Lsn{9}, .term = kTerm, .data = "x"}}); });
  EXPECT_THAT(log_->members().voters, ElementsAre(ReplicaId{1}));
  On([&] {
    fake_->machine->OnCommitted({{.lsn = Lsn{10},
                                  .term = kTerm,
                                  .type = consensus::EntryType::kConfChangeV2,
                                  .data = "x"}});
  });
  EXPECT_THAT(log_->members().voters, ElementsAre(ReplicaId{1}, ReplicaId{2}));
}

TEST_F(WatchedLogTest, AResignationReachesTheLog) {
  On([&] { log_->Resign(); });

  EXPECT_TRUE(fake_->resigned);
}

TEST_F(WatchedLogTest, AFenceReachesBothSides) {
  On([&] { fake_->machine->OnFenced(Error(Code::kCorruption, "bits")); });

  EXPECT_THAT(notes_, ElementsAre("fenced: bits", "fenced: bits"));
}

}  // namespace
}  // namespace quorate::cluster
