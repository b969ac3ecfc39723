#include "http/internal/child_gate.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/testing/fake_metrics.h"

namespace quorate::http {
namespace {

class ChildGateTest : public testing::Test {
 protected:
  void Make(ChildGateOptions options) {
    gate_ = std::make_unique<ChildGate>(options, metrics_.GetGauge("running", "", {}));
  }

  // Asks for a place; whoever gets one keeps it in permits_ and is noted in log_.
  void Ask(const std::string& name) {
    asio::co_spawn(context_, AskFor(name), asio::detached);
    Run();
  }
  Awaitable<void> AskFor(std::string name) {
    Result<ChildGate::Permit> permit = co_await gate_->Acquire();
    log_ += name + (permit ? " runs\n" : " is refused\n");
    if (permit) {
      permits_.push_back(std::make_unique<ChildGate::Permit>(std::move(*permit)));
    }
  }
  void Run() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_;
  env::FakeMetrics metrics_;
  std::unique_ptr<ChildGate> gate_;
  std::vector<std::unique_ptr<ChildGate::Permit>> permits_;
  std::string log_;
};

TEST_F(ChildGateTest, WhoeverFindsNoPlaceWaitsForTheNextInOrder) {
  Make({.running_max = 1, .waiting_max = 2, .wait_max = std::chrono::hours(1)});
  Ask("first");
  Ask("second");
  Ask("third");
  EXPECT_EQ(log_, "first runs\n");

  permits_.front().reset();
  Run();
  EXPECT_EQ(log_, "first runs\nsecond runs\n");
  EXPECT_EQ(metrics_.Value("running"), 1);

  permits_.back().reset();
  Run();
  EXPECT_EQ(log_, "first runs\nsecond runs\nthird runs\n");

  permits_.back().reset();
  EXPECT_EQ(metrics_.Value("running"), 0);
}

TEST_F(ChildGateTest, BeyondTheQueueRequestsAreRefused) {
  Make({.running_max = 1, .waiting_max = 1, .wait_max = std::chrono::hours(1)});
  Ask("first");
  Ask("second");
  Ask("third");

  EXPECT_EQ(log_, "first runs\nthird is refused\n");

  permits_.front().reset();
  Run();
  EXPECT_EQ(log_, "first runs\nthird is refused\nsecond runs\n");
}

TEST_F(ChildGateTest, AWaitThatIsTooLongEndsInARefusalAndTakesNoPlace) {
  Make({.running_max = 1, .waiting_max = 1, .wait_max = std::chrono::milliseconds(0)});
  Ask("first");
  Ask("second");
  context_.restart();
  context_.run();  // Until the timer has fired; nothing else is pending.
  EXPECT_EQ(log_, "first runs\nsecond is refused\n");

  permits_.front().reset();
  Ask("third");

  EXPECT_EQ(log_, "first runs\nsecond is refused\nthird runs\n");
}

}  // namespace
}  // namespace quorate::http
