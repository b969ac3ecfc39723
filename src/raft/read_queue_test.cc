#include "raft/read_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quorate::raft {
namespace {

class ReadQueueTest : public testing::Test {
 protected:
  void Add(const std::string& name) {
    queue_.Add([this, name](Result<Lsn> lsn) {
      answers_.push_back(
          name + " " +
          (lsn ? std::to_string(lsn->value) : std::string(CodeName(lsn.error().code()))));
    });
  }
  void Tick(int count) {
    for (int i = 0; i < count; ++i) {
      queue_.Tick();
    }
  }

  ReadQueue queue_{"origin", {.waiting_max = 3, .attempt_ticks_max = 2, .wait_ticks_max = 5}};
  std::vector<std::string> answers_;
};

TEST_F(ReadQueueTest, OneQuestionServesAllThatWaited) {
  Add("a");
  Add("b");
  const std::string context = queue_.Ask();
  EXPECT_FALSE(queue_.WantsToAsk());

  queue_.Answer(context, Lsn{9});

  EXPECT_EQ(answers_, (std::vector<std::string>{"a 9", "b 9"}));
  EXPECT_TRUE(queue_.idle());
}

TEST_F(ReadQueueTest, ALaterReadIsNotServedByAnEarlierQuestion) {
  Add("a");
  const std::string first = queue_.Ask();
  Add("b");

  queue_.Answer(first, Lsn{9});
  EXPECT_EQ(answers_, std::vector<std::string>{"a 9"});
  const std::string second = queue_.Ask();
  queue_.Answer(second, Lsn{10});

  EXPECT_EQ(answers_, (std::vector<std::string>{"a 9", "b 10"}));
}

TEST_F(ReadQueueTest, EveryQuestionHasAContextOfItsOwn) {
  Add("a");
  const std::string first = queue_.Ask();
  queue_.AskAgain();
  const std::string second = queue_.Ask();
  EXPECT_NE(first, second);

  queue_.Answer(first, Lsn{3});
  EXPECT_TRUE(answers_.empty());
  queue_.Answer(second, Lsn{4});

  EXPECT_EQ(answers_, std::vector<std::string>{"a 4"});
}

TEST_F(ReadQueueTest, AsksAgainAndGivesUpInTheEnd) {
  Add("a");
  const std::string first = queue_.Ask();

  Tick(2);
  EXPECT_TRUE(queue_.WantsToAsk());
  EXPECT_NE(queue_.Ask(), first);
  Tick(2);
  EXPECT_TRUE(queue_.WantsToAsk());
  Tick(1);

  EXPECT_EQ(answers_, std::vector<std::string>{"a unavailable"});
  EXPECT_TRUE(queue_.idle());
}

TEST_F(ReadQueueTest, RefusesBeyondItsBound) {
  Add("a");
  queue_.Ask();
  Add("b");
  Add("c");
  Add("d");

  EXPECT_EQ(answers_, std::vector<std::string>{"d unavailable"});
}

TEST_F(ReadQueueTest, FailsAllThatWaitInTheirOrder) {
  Add("a");
  queue_.Ask();
  Add("b");

  queue_.FailAll(Error(Code::kNotLeader, "lost"));

  EXPECT_EQ(answers_, (std::vector<std::string>{"a not_leader", "b not_leader"}));
}

}  // namespace
}  // namespace quorate::raft
