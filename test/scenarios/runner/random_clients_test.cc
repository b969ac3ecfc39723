// Random transactions by several clients against an obvious model, with crashes, in every mode of
// the log.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/testing/seeds.h"
#include "log_modes.h"
#include "txn/testing/audit.h"
#include "txn/testing/stage.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

constexpr RepositoryId kRepository{1};

using Refs = std::map<std::string, char>;  // Name -> letter.

struct Change {
  std::string name;
  std::optional<char> before;
  std::optional<char> after;
};

enum class Fate { kOpen, kCommitted, kRefused, kUnknown };

struct Attempt {
  std::string id;
  Lsn snapshot;
  std::vector<Change> changes;
  std::string pack;  // Its bytes; empty: none.
  Fate fate = Fate::kOpen;
  Lsn lsn;
};

// What the history of the log says, replayed: the model knows nothing of windows, terms or batches.
struct Model {
  Refs refs;
  std::set<std::string> packs;

  void Apply(const Attempt& attempt) {
    for (const Change& change : attempt.changes) {
      if (change.after) {
        refs[change.name] = *change.after;
      } else {
        refs.erase(change.name);
      }
    }
    if (!attempt.pack.empty()) {
      packs.insert(attempt.pack);
    }
  }
};

Refs ReadRefs(const Snapshot& snapshot) {
  Refs refs;
  const Status walked = snapshot.ForEachRef(kRepository, "", [&refs](const Ref& ref) {
    refs[ref.name] = ref.value.id.raw()[0];
    return true;
  });
  EXPECT_TRUE(walked);
  return refs;
}

class Clients {
 public:
  Clients(const Mode& mode, std::uint64_t seed)
      : prng_(seed), stage_(mode.make(seed, {.window = {.bytes_max = 6000, .tail_entries = 0}})) {}

  void Play() {
    Open();
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t dice = prng_.Below(20);
      if (dice < 9) {
        BeginOne();
      } else if (dice < 15) {
        CommitOne();
      } else if (dice < 17) {
        RunSome(prng_.Below(30));
      } else if (dice == 17) {
        stage_->Run();
        EXPECT_TRUE(stage_->ChooseHome(false).manager().SyncObjects());
      } else if (dice == 18) {
        stage_->Run();
        CheckAll();
        stage_->Pause();
      } else if (prng_.OneIn(2)) {
        CrashAndReopen();
      }
      if (::testing::Test::HasFailure()) {
        return;
      }
    }
    CrashAndReopen();
    open_.clear();
    stage_->Stop();
    EXPECT_EQ(Audit(*stage_), std::vector<std::string>());
  }

  int committed = 0;
  int refused = 0;
  int winners = 0;  // Told to those who lost, and found in the log.

 private:
  struct Begun {
    Transaction transaction;
    Attempt* attempt;
    Node* home;
  };

  void Open() {
    ASSERT_TRUE(stage_->Open());
    Node& home = stage_->front();
    const Result<Snapshot> snapshot = home.manager().LocalSnapshot();
    ASSERT_TRUE(snapshot) << snapshot.error().ToString();
    if (!snapshot->FindRepository(kRepository).value()) {
      stage_->Engage(home);
      Transaction create = *home.manager().Begin({});
      ASSERT_TRUE(
          create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main"));
      home.manager().Commit(std::move(create), [](Result<CommitOutcome> outcome) {
        ASSERT_TRUE(outcome) << outcome.error().ToString();
      });
      stage_->Run();
    }
  }

  std::string RandomName() {
    static const std::vector<std::string> names = {"refs/heads/a",   "refs/heads/a/b",
                                                   "refs/heads/a/c", "refs/heads/d",
                                                   "refs/heads/d/e", "refs/tags/t"};
    return names[prng_.Below(names.size())];
  }

  void BeginOne() {
    // Most where the leader is: to move leadership for each would leave nothing in flight.
    Node& home = prng_.OneIn(4) ? stage_->ChooseHome(false) : stage_->front();
    Transaction transaction = *home.manager().Begin({});
    auto attempt = std::make_unique<Attempt>();
    attempt->id = transaction.id().bytes;
    attempt->snapshot = transaction.snapshot().lsn();
    std::set<std::string> names;
    for (std::uint64_t n = 1 + prng_.Below(3); n > 0; --n) {
      const std::string name = RandomName();
      if (!names.insert(name).second) {
        continue;
      }
      Change change{.name = name, .before = {}, .after = {}};
      const auto seen = transaction.snapshot().FindRef(kRepository, name).value();
      if (seen) {
        change.before = seen->id.raw()[0];
      }
      if (!prng_.OneIn(3)) {
        change.after = static_cast<char>('A' + prng_.Below(8));
      }
      RefUpdate update{.repository = kRepository, .name = name, .expected = {}, .value = {}};
      update.expected.emplace();
      if (change.before) {
        update.expected->value = ValueOf(*change.before);
      }
      if (change.after) {
        update.value = ValueOf(*change.after);
      }
      ASSERT_TRUE(transaction.StageRef(std::move(update)));
      attempt->changes.push_back(std::move(change));
    }
    if (prng_.OneIn(3)) {
      // Some packs are brought by several clients, as by one that tries again.
      attempt->pack = prng_.OneIn(2) ? "pack " + std::to_string(prng_.Below(4))
                                     : "pack " + HexEncode(attempt->id);
      auto pack = prng_.OneIn(2) ? home.packs.NewInline(attempt->pack)
                                 : home.packs.NewSideStored(attempt->pack);
      ASSERT_TRUE(pack->Persist());
      ASSERT_TRUE(transaction.StagePack(kRepository, std::move(pack)));
    }
    open_.push_back({std::move(transaction), attempt.get(), &home});
    attempts_.push_back(std::move(attempt));
  }

  void CommitOne() {
    if (open_.empty()) {
      return;
    }
    const std::size_t index = prng_.Below(open_.size());
    auto [transaction, attempt, home] = std::move(open_[index]);
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
    if (prng_.OneIn(8)) {
      attempt->fate = Fate::kRefused;  // Aborted by its client.
      return;
    }
    stage_->Engage(*home);
    attempt->fate = Fate::kUnknown;  // Unless we are told.
    home->manager().Commit(
        std::move(transaction), [this, attempt = attempt](Result<CommitOutcome> outcome) {
          ASSERT_EQ(attempt->fate, Fate::kUnknown) << "told twice";
          attempt->fate = outcome ? Fate::kCommitted : Fate::kRefused;
          if (outcome) {
            attempt->lsn = outcome->lsn;
            ++committed;
          } else {
            ASSERT_EQ(outcome.error().code(), Code::kConflict) << outcome.error().ToString();
            ++refused;
            TakeConflicts(outcome.error(), attempt->snapshot);
          }
        });
  }

  // Who is said to have won is checked once it is known what the log made of him.
  void TakeConflicts(const Error& error, Lsn snapshot) {
    if (const SnapshotTooOld* too_old = SnapshotTooOldOf(error); too_old != nullptr) {
      ASSERT_EQ(too_old->snapshot, snapshot);
      ASSERT_GT(too_old->floor, snapshot);
      return;
    }
    const Conflicts* conflicts = ConflictOf(error);
    ASSERT_NE(conflicts, nullptr) << error.ToString();
    for (const Conflict& conflict : conflicts->all) {
      ASSERT_EQ(conflict.key.kind, ConflictKey::Kind::kRef);
      if (conflict.winner) {
        ASSERT_GT(conflict.winner->lsn, snapshot);
        told_.push_back(conflict);
      } else {
        // What was expected is what the snapshot said.
        ASSERT_EQ(conflict.kind, Conflict::Kind::kNameConflict) << error.ToString();
      }
    }
  }

  void CheckWinners(const Snapshot& snapshot) {
    for (const Conflict& conflict : told_) {
      const std::string& id = conflict.winner->transaction.bytes;
      const auto winner =
          std::ranges::find_if(attempts_, [&id](const auto& attempt) { return attempt->id == id; });
      ASSERT_NE(winner, attempts_.end());
      ASSERT_TRUE(std::ranges::any_of(
          (*winner)->changes,
          [&](const Change& change) { return change.name == conflict.key.name; }))
          << "the winner did not write " << conflict.key.name;
      const auto found = snapshot.FindTransaction(id).value();
      ASSERT_TRUE(!found || found->lsn == conflict.winner->lsn) << "the winner has another LSN";
      winners += found ? 1 : 0;
    }
    told_.clear();
  }

  void RunSome(std::uint64_t tasks) {
    while (tasks > 0 && stage_->RunOne()) {
      --tasks;
    }
  }

  void CrashAndReopen() {
    RunSome(prng_.Below(20));
    const Stage::Nodes crashed =
        stage_->Crash([this](std::size_t unsynced) { return prng_.Below(unsynced + 1); }, {});
    std::erase_if(open_, [&crashed](Begun& open) {  // A process that dies aborts nothing.
      const bool gone = crashed.contains(open.home);
      open.attempt->fate = gone ? Fate::kRefused : open.attempt->fate;
      return gone;
    });
    Open();
    if (!::testing::Test::HasFatalFailure()) {
      CheckAll();
    }
  }

  // What was acknowledged is there, what was refused is not; the rest was done wholly or not at
  // all; and the references are what the log in its order makes of them.
  void CheckAll() {
    Node& node = stage_->front();
    const Snapshot snapshot = *node.manager().LocalSnapshot();
    std::map<Lsn, const Attempt*> in_order;
    for (const auto& attempt : attempts_) {
      const auto found = snapshot.FindTransaction(attempt->id).value();
      const std::optional<Lsn> lsn = found ? std::optional(found->lsn) : std::nullopt;
      if (attempt->fate == Fate::kCommitted && attempt->lsn.value != 0) {
        ASSERT_TRUE(lsn) << "an acknowledged transaction is gone";
        ASSERT_EQ(*lsn, attempt->lsn);
      }
      if (attempt->fate == Fate::kRefused || attempt->fate == Fate::kOpen) {
        ASSERT_FALSE(lsn) << "a transaction that was refused took place";
      }
      if (lsn) {
        ASSERT_TRUE(in_order.emplace(*lsn, attempt.get()).second);
      }
    }
    CheckWinners(snapshot);
    Model model;
    for (const auto& [lsn, attempt] : in_order) {
      for (const Change& change : attempt->changes) {
        const auto at = model.refs.find(change.name);
        ASSERT_EQ(change.before, at == model.refs.end() ? std::nullopt : std::optional(at->second))
            << change.name << " did not have its expected value";
      }
      model.Apply(*attempt);
    }
    ASSERT_EQ(ReadRefs(snapshot), model.refs);
    for (const std::string& pack : model.packs) {
      ASSERT_TRUE(node.packs.IsInstalled(pack)) << "objects are missing";
    }
    if (stage_->nodes().size() == 1) {
      CheckNoPackIsLeft(node);
    }
    for (const auto& [name, letter] : model.refs) {
      const std::size_t last = name.rfind('/');
      ASSERT_FALSE(model.refs.contains(name.substr(0, last))) << name << " and its parent exist";
    }
  }

  // Of a group, Audit() looks after a restart: one more reason for a pack to stay is an entry that
  // was replaced.
  void CheckNoPackIsLeft(const Node& node) {
    std::set<std::string> held;
    for (const auto& attempt : attempts_) {
      if (attempt->fate == Fate::kOpen) {
        held.insert(attempt->pack);
      }
    }
    for (const auto& attempt : attempts_) {
      ASSERT_TRUE(held.contains(attempt->pack) || !node.packs.IsPersisted(attempt->pack))
          << "a pack that nobody needs is left";
    }
  }

  Prng prng_;
  const std::unique_ptr<Stage> stage_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::vector<Begun> open_;
  std::vector<Conflict> told_;  // Conflicts with a winner, to be checked.
};

class RandomClientsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RandomClientsTest, AcknowledgedIsThereRefusedIsNotAndRefsAreWhatTheLogSays) {
  const Mode mode = Modes().at(GetParam());
  const Seeds seeds = ChooseSeeds(1, 200);
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;
  std::uint64_t winners = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    SCOPED_TRACE("QUORATE_SEED=" + std::to_string(seed));
    Clients clients(mode, seed);
    clients.Play();
    if (HasFailure()) {
      return;
    }
    committed += static_cast<std::uint64_t>(clients.committed);
    refused += static_cast<std::uint64_t>(clients.refused);
    winners += static_cast<std::uint64_t>(clients.winners);
  }
  if (!seeds.chosen) {
    EXPECT_GT(committed, seeds.count * 3);  // The runs did something; of few seeds, less.
    EXPECT_GT(refused, seeds.count / 2);
    EXPECT_GT(winners, seeds.count / 4);
  }
}

std::vector<std::string> ModeNames() {
  std::vector<std::string> names;
  for (const auto& [name, mode] : Modes()) {
    names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Modes, RandomClientsTest, ::testing::ValuesIn(ModeNames()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace quorate::txn
