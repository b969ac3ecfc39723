// Consumers of one repository, in every mode of the log, with everything that their tests ask of
// them.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "log_modes.h"
#include "txn/changes.h"
#include "txn/consumer.h"
#include "txn/testing/stage.h"
#include "txn/testing/world.h"

namespace quorate::txn {

inline constexpr RepositoryId kRepository{1};
using Texts = std::vector<std::string>;

class ConsumersTest : public ::testing::TestWithParam<std::string> {
 protected:
  void Start(TransactionManagerOptions options = {}) {
    options.entries_kept = 0;
    stage_.reset();
    stage_ = Modes().at(GetParam()).make(kSeed, options);
    Open();
    Transact([](Transaction& create) {
      return create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main");
    });
  }

  Node& node() { return stage_->front(); }
  TransactionManager& manager() { return node().manager(); }
  Snapshot Now() { return manager().LocalSnapshot().value(); }

  void Open() {
    ASSERT_TRUE(stage_->Open());
    stage_->Run();
  }

  // What became of a transaction with what `steps` stages; "" if it was committed. In a group, it
  // begins at whatever replica, which then leads.
  template <class Steps>
  std::string Transact(Steps steps) {
    stage_->Pause();
    Node& home = stage_->ChooseHome(false);
    Transaction transaction = home.manager().Begin({}).value();
    if (const Status staged = steps(transaction); !staged) {
      return std::string(CodeName(staged.error().code()));
    }
    std::string answer = "none";
    stage_->Engage(home);
    home.manager().Commit(std::move(transaction), [&answer](const Result<CommitOutcome>& outcome) {
      answer = outcome ? "" : CodeName(outcome.error().code());
    });
    stage_->Run();
    return answer;
  }
  std::string Make(const std::string& consumer) {
    return Transact([&](Transaction& t) { return t.StageConsumerCreate(kRepository, consumer); });
  }
  std::string Acknowledge(const std::string& consumer, Lsn lsn) {
    return Transact([&](Transaction& t) { return t.StageConsumerAck(kRepository, consumer, lsn); });
  }
  // One more reference; its name is the change's text. With so many bytes of something else.
  void Change(const std::string& name, std::size_t bytes = 0) {
    ASSERT_EQ(Transact([&](Transaction& t) -> Status {
                RefUpdate update{.repository = kRepository,
                                 .name = "refs/heads/" + name,
                                 .expected = {},
                                 .value = ValueOf('A')};
                if (bytes > 0) {
                  QUORATE_TRY(t.StageKey("key of " + name, std::nullopt, std::string(bytes, 'x')));
                }
                return t.StageRef(std::move(update));
              }),
              "");
  }

  // What a consumer reads next, there.
  static std::vector<CommittedChange> ReadAt(Node& there, const std::string& consumer,
                                             std::size_t count_max = 100) {
    const Snapshot snapshot = there.manager().LocalSnapshot().value();
    const Consumer found = FindFollowingConsumer(snapshot, kRepository, consumer).value();
    return there.manager().ReadChanges(snapshot, found, count_max).value();
  }
  std::vector<CommittedChange> Read(const std::string& consumer, std::size_t count_max = 100) {
    return ReadAt(node(), consumer, count_max);
  }
  static Texts Names(const std::vector<CommittedChange>& changes) {
    Texts names;
    for (const CommittedChange& change : changes) {
      for (const CommittedChange::Move& move : change.moves) {
        names.push_back(move.name.substr(move.name.rfind('/') + 1));
      }
    }
    return names;
  }
  Texts Reads(const std::string& consumer) { return Names(Read(consumer)); }

  void Sync() {
    for (Node* each : stage_->nodes()) {
      ASSERT_TRUE(each->manager().SyncObjects());
    }
    stage_->Run();
  }
  static Lsn TruncatedAt(Node& there) {
    return there.process().logs().Load(Node::kPartition).value().truncated.lsn;
  }
  Lsn Truncated() { return TruncatedAt(node()); }

  static constexpr std::uint64_t kSeed = 1;
  std::unique_ptr<Stage> stage_;
};

// Where a crash is a crash of all there is, and no leader's entry comes in between.
class ConsumersAloneTest : public ConsumersTest {
 protected:
  void Crash(std::size_t keep) {
    stage_->Crash([keep](std::size_t) { return keep; }, {});
  }
};

}  // namespace quorate::txn
