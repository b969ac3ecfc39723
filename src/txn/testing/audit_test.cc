#include "txn/testing/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"
#include "txn/testing/log_mode.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr RepositoryId kRepository{1};
constexpr const char* kMain = "refs/heads/main";

// A repository with a branch, a key and a pack.
class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    EXPECT_TRUE(world_.Open());
    world_.Run();
    Transaction create = Begin();
    EXPECT_TRUE(create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, kMain));
    EXPECT_TRUE(create.StageRef(
        {.repository = kRepository, .name = kMain, .expected = {}, .value = ValueOf('A')}));
    auto pack = world_.packs.NewSideStored("objects");
    EXPECT_TRUE(pack->Persist());
    EXPECT_TRUE(create.StagePack(kRepository, std::move(pack)));
    Commit(std::move(create));
    CommitKey("color");
  }

  Transaction Begin() { return world_.manager().Begin({}).value(); }

  void Commit(Transaction transaction) {
    world_.manager().Commit(std::move(transaction), [](const Result<CommitOutcome>& outcome) {
      ASSERT_TRUE(outcome) << outcome.error().ToString();
    });
    world_.Run();
  }

  void CommitKey(const std::string& name) {
    Transaction set = Begin();
    ASSERT_TRUE(set.StageKey(name, std::nullopt, "red"));
    Commit(std::move(set));
  }

  void WriteBehindTheLog(std::string key, std::string value, kv::WriteOptions options) {
    kv::WriteBatch batch;
    batch.Put(kv::Family::kState, std::move(key), std::move(value));
    ASSERT_TRUE(world_.disk.Write(std::move(batch), options));
  }

  std::unique_ptr<LogMode> mode_ = NewLocalMode();
  World world_{*mode_, std::nullopt};
};

TEST_F(AuditTest, FindsNothingWhereAllIsWell) {
  EXPECT_THAT(Audit(world_), IsEmpty());
}

TEST_F(AuditTest, OpensWhatIsClosed) {
  world_.Stop();

  EXPECT_THAT(Audit(world_), IsEmpty());
  EXPECT_TRUE(world_.is_open());
}

TEST_F(AuditTest, FindsWhatTheWindowKeeps) {
  {
    const Transaction open = Begin();
    CommitKey("shape");

    EXPECT_THAT(Audit(world_), Contains("the window holds 1 versions"));
  }
}

TEST_F(AuditTest, FindsAPackInQuarantine) {
  auto pack = world_.packs.NewInline("more");

  EXPECT_THAT(Audit(world_), ElementsAre("1 packs are quarantined"));
}

TEST_F(AuditTest, FindsAPackLeftBesideTheLog) {
  ASSERT_TRUE(world_.packs.NewSideStored("more")->Persist());

  EXPECT_THAT(Audit(world_), ElementsAre("1 packs are staged beside the log"));
}

TEST_F(AuditTest, FindsStateThatTheLogDoesNotTellAndThatACrashLoses) {
  WriteBehindTheLog(internal::UserKey(World::kPartition, "shape"),
                    internal::EncodeKeyValue("round"), {.sync = false});

  EXPECT_THAT(Audit(world_),
              ElementsAre(HasSubstr("the log applied to an empty state: lost: "),
                          HasSubstr("after a crash: lost: "), HasSubstr("after closing: lost: ")));
}

TEST_F(AuditTest, FindsAValueThatIsNotWhatWasLogged) {
  world_.disk.Damage(kv::Family::kState, internal::RefKey(World::kPartition, kRepository, kMain),
                     internal::EncodeRefValue(ValueOf('B')));

  const std::vector<std::string> wrong = Audit(world_);

  EXPECT_THAT(wrong, Contains(HasSubstr("the log applied to an empty state: lost: ")));
  EXPECT_THAT(wrong, Contains(HasSubstr("the log applied to an empty state: new: ")));
}

TEST_F(AuditTest, FindsThatObjectsAreMissing) {
  world_.packs.Crash();

  EXPECT_THAT(Audit(world_),
              Contains("the log applied to an empty state: 1 packs instead of 0, or others"));
}

TEST_F(AuditTest, FindsANodeThatDoesNotComeBack) {
  WriteBehindTheLog(internal::ObjectsDurableKey(World::kPartition), "?", {.sync = true});

  EXPECT_THAT(Audit(world_), Contains(HasSubstr("after a crash: does not open: ")));
}

}  // namespace
}  // namespace quorate::txn
