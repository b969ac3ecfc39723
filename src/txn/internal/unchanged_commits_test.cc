#include "txn/internal/unchanged_commits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace quorate::txn::internal {
namespace {

// A log of which only the read barriers matter; they are answered one by one.
class Barriers final : public log::LogManager {
 public:
  Status Start(log::StateMachine&, Position) override { return Ok(); }
  Result<Position> Append(std::string) override { return Position{}; }
  void Applied(Lsn) override {}
  void ReadBarrier(ReadDone done) override { asked_.push_back(std::move(done)); }
  bool CommitsAlone() const override { return false; }
  void Compact(Lsn) override {}
  void Resign() override {}
  log::LogStatus status() const override { return {}; }
  void Stop(Callback<>) override {}

  void AnswerFirst(Result<Lsn> answer) {
    QUORATE_CHECK(!asked_.empty());
    ReadDone done = std::move(asked_.front());
    asked_.erase(asked_.begin());
    std::move(done)(std::move(answer));
  }

 private:
  std::vector<ReadDone> asked_;
};

class UnchangedCommitsTest : public ::testing::Test {
 protected:
  std::shared_ptr<CommitInterest> Add(const std::string& name, Lsn after) {
    auto interest = std::make_shared<CommitInterest>();
    commits_.Add({.after = after,
                  .outcome = {},
                  .done =
                      [this, name](const Result<CommitOutcome>& outcome) {
                        told_.push_back(name + (outcome ? " ok" : " failed"));
                      },
                  .interest = interest});
    return interest;
  }

  Barriers log_;
  UnchangedCommits commits_{log_, [](const Status&) {}};
  std::vector<std::string> told_;
};

TEST_F(UnchangedCommitsTest, EachWaitsForWhatItWasVerifiedAgainstAndThenForABarrier) {
  Add("a", Lsn{5});
  Add("b", Lsn{7});

  commits_.Advance(Lsn{6});
  log_.AnswerFirst(Lsn{6});
  EXPECT_EQ(told_, (std::vector<std::string>{"a ok"}));
  commits_.Advance(Lsn{7});
  log_.AnswerFirst(Error(Code::kNotLeader, "deposed"));

  EXPECT_EQ(told_, (std::vector<std::string>{"a ok", "b failed"}));
}

// The allocator gives the second commit the place of the first, unless somebody still holds it.
TEST_F(UnchangedCommitsTest, TheBarrierOfOneThatWasWithdrawnAnswersNoOther) {
  {
    const std::shared_ptr<CommitInterest> first = Add("first", Lsn{5});
    commits_.Advance(Lsn{5});
    EXPECT_TRUE(commits_.Withdraw(*first));
  }
  Add("second", Lsn{5});
  commits_.Advance(Lsn{5});

  log_.AnswerFirst(Lsn{5});
  EXPECT_EQ(told_, std::vector<std::string>());
  log_.AnswerFirst(Lsn{5});

  EXPECT_EQ(told_, (std::vector<std::string>{"second ok"}));
}

}  // namespace
}  // namespace quorate::txn::internal
