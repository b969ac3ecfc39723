// Verification is a function of the log before the entry: whoever led all the time, restarted
// somewhere, or followed, and has applied the same entries, comes to the same verdicts.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/testing/seeds.h"
#include "txn/internal/conflict_window.h"
#include "txn/internal/entry_codec.h"
#include "txn/internal/recovery.h"
#include "txn/internal/verifier.h"
#include "txn/internal/window_keys.h"
#include "txn/testing/world.h"

namespace quorate::txn::internal {
namespace {

constexpr std::size_t kAnyBytes = 1 << 30;

std::string TextOf(const Verdict& verdict) {
  std::string text;
  for (const Conflict& conflict : verdict.others) {
    text += conflict.ToString() + "; ";
  }
  for (const std::optional<Conflict>& conflict : verdict.refs) {
    text += (conflict ? conflict->ToString() : "ok") + "; ";
  }
  LogRecord record;
  record.transaction_id = std::string(kTransactionIdBytes, 'x');
  record.changes = verdict.changes;
  return text + EncodeRecord(std::move(record));
}

class Verdicts {
 public:
  explicit Verdicts(std::uint64_t seed) : prng_(seed), world_(*mode_, std::nullopt) {
    bounds_.tail_entries = 8 + prng_.Below(20);
    bounds_.tail_log_bytes = 500 + prng_.Below(3000);
  }

  void Play() {
    MakeHistory();
    const auto lived = Lived();
    const auto restarted = Restarted();
    const auto followed = Followed();
    ASSERT_EQ(lived->floor(), restarted->floor());
    ASSERT_EQ(lived->floor(), followed->floor());
    ASSERT_GE(lived->size(), 3u);
    ASSERT_EQ(lived->size(), restarted->size());
    ASSERT_EQ(lived->bytes(), followed->bytes());
    for (int i = 0; i < 30; ++i) {
      const auto state = RandomTransaction(lived->floor());
      const std::string verdict = TextOf(Verify(*state, *lived));
      ASSERT_EQ(verdict, TextOf(Verify(*state, *restarted)));
      ASSERT_EQ(verdict, TextOf(Verify(*state, *followed)));
      refused += Verify(*state, *lived).Accepted(true) ? 0 : 1;
      ++verified;
    }
  }

  int verified = 0;
  int refused = 0;

 private:
  void MakeHistory() {
    ASSERT_TRUE(world_.Open());
    world_.Run();
    for (int i = 0; i < 40; ++i) {
      Transaction transaction = world_.manager().Begin({}).value();
      const auto exists = transaction.snapshot().FindRepository(RepositoryId{1}).value();
      if (exists && prng_.OneIn(15)) {
        ASSERT_TRUE(transaction.StageRepositoryDelete(RepositoryId{1}));
      }
      if (!exists || (!transaction.FindHead(RepositoryId{1}).value() && prng_.OneIn(2))) {
        ASSERT_TRUE(transaction.StageRepositoryCreate(RepositoryId{1}, git::ObjectFormat::kSha1,
                                                      "refs/heads/main"));
      }
      StageAnything(transaction);
      world_.manager().Commit(std::move(transaction), [](const Result<CommitOutcome>&) {});
      world_.Run();
      const Snapshot snapshot = *world_.manager().LocalSnapshot();
      snapshots_.insert_or_assign(snapshot.lsn(), snapshot);
    }
    last_ = world_.position().lsn;
    for (Lsn next = kBootstrapPosition.lsn.Next(); next <= last_;) {
      std::vector<consensus::Entry> read =
          world_.logs().Read(World::kPartition, next, last_.Next(), kAnyBytes).value();
      for (consensus::Entry& entry : read) {
        next = entry.lsn.Next();
        entries_.push_back(std::move(entry));
      }
    }
  }

  // Some of it may not be possible; then it is not staged.
  void StageAnything(Transaction& transaction) {
    const auto name = [this] {
      static const std::vector<std::string> names = {"a", "b", "c", "c/d", "c/e"};
      return names[prng_.Below(names.size())];
    };
    for (std::uint64_t n = 1 + prng_.Below(3); n > 0; --n) {
      RefUpdate update{.repository = RepositoryId{1},
                       .name = "refs/heads/" + name(),
                       .expected = {},
                       .value = {}};
      if (!prng_.OneIn(3)) {
        update.value = ValueOf(static_cast<char>('A' + prng_.Below(3)));
      }
      switch (prng_.Below(8)) {
        case 0:
          static_cast<void>(transaction.StageHead(
              RepositoryId{1}, {.id = {}, .peeled = {}, .symref = "refs/heads/" + name()}));
          break;
        case 1:
          static_cast<void>(transaction.StageKey(name(), std::nullopt, name()));
          break;
        case 2:
          static_cast<void>(
              transaction.StageConfig(RepositoryId{1}, "core." + name(), std::nullopt, {name()}));
          break;
        case 3:
          static_cast<void>(transaction.FindRef(RepositoryId{1}, "refs/heads/" + name()));
          break;
        case 4:
          static_cast<void>(transaction.ForEachKey(
              name(), [](std::string_view, std::string_view) { return true; }));
          break;
        case 5:
          static_cast<void>(
              transaction.VerifyRef(RepositoryId{1}, "refs/heads/" + name(), ValueOf('A')));
          break;
        default:
          static_cast<void>(transaction.StageRef(std::move(update)));
      }
    }
  }

  std::unique_ptr<Transaction::State> RandomTransaction(Lsn floor) {
    std::vector<Snapshot> usable;
    for (const auto& [lsn, snapshot] : snapshots_) {
      if (lsn >= floor) {
        usable.push_back(snapshot);
      }
    }
    TransactionOptions options;
    options.isolation = prng_.OneIn(2) ? Isolation::kSerializable : Isolation::kSnapshot;
    Transaction transaction(std::make_unique<Transaction::State>(
        std::move(options), TransactionId{.bytes = std::string(kTransactionIdBytes, 't')},
        usable[prng_.Below(usable.size())], Published::Pin()));
    StageAnything(transaction);
    return transaction.TakeState().value();
  }

  void Add(ConflictWindow& window, const consensus::Entry& entry) const {
    if (entry.type == consensus::EntryType::kNormal && !entry.data.empty()) {
      const LogRecord record = DecodeRecord(entry.data).value();
      window.Add(InfoOf(record, entry.lsn, entry.data.size()), WindowWrites(record));
    }
  }
  void Trim(ConflictWindow& window, Lsn applied, Lsn needed) const {
    window.Trim(bounds_, applied, std::min(applied, needed), std::chrono::microseconds::min());
  }
  std::unique_ptr<ConflictWindow> Finished(std::unique_ptr<ConflictWindow> window) const {
    Trim(*window, last_, last_);
    return window;
  }

  // Proposals in flight, some of them lost; apply lags; transactions come and go.
  std::unique_ptr<ConflictWindow> Lived() {
    auto window = std::make_unique<ConflictWindow>(kBootstrapPosition.lsn);
    for (const consensus::Entry& entry : entries_) {
      if (prng_.OneIn(4)) {
        LogRecord lost;
        lost.transaction_id = std::string(kTransactionIdBytes, 'l');
        lost.changes.emplace_back(KeyChange{.key = "a", .before = {}, .after = "lost"});
        window->Add(InfoOf(lost, entry.lsn, 100), WindowWrites(lost));
        window->DropFrom(entry.lsn);
      }
      Add(*window, entry);
      const Lsn applied{entry.lsn.value -
                        std::min(entry.lsn.value - window->floor().value, prng_.Below(5))};
      Trim(*window, applied, Lsn{entry.lsn.value - prng_.Below(entry.lsn.value)});
    }
    return Finished(std::move(window));
  }

  std::unique_ptr<ConflictWindow> Restarted() {
    const std::size_t at = prng_.Below(entries_.size());
    auto window = ReadWindow(world_.logs(), World::kPartition, entries_[at].lsn, bounds_);
    for (std::size_t i = at + 1; i < entries_.size(); ++i) {
      Add(*window, entries_[i]);
      Trim(*window, entries_[i].lsn, entries_[i].lsn);
    }
    return Finished(std::move(window));
  }

  std::unique_ptr<ConflictWindow> Followed() {
    auto window = std::make_unique<ConflictWindow>(kBootstrapPosition.lsn);
    for (const consensus::Entry& entry : entries_) {
      Add(*window, entry);
      if (prng_.OneIn(3)) {
        Trim(*window, entry.lsn, entry.lsn);
      }
    }
    return Finished(std::move(window));
  }

  Prng prng_;
  const std::unique_ptr<LogMode> mode_ = NewLocalMode();
  World world_;
  WindowBounds bounds_;
  std::vector<consensus::Entry> entries_;
  std::map<Lsn, Snapshot> snapshots_;
  Lsn last_;
};

TEST(WindowDeterminismTest, LeaderFollowerAndRestartedReplicaComeToTheSameVerdicts) {
  const Seeds seeds = ChooseSeeds(1, 60);
  int verified = 0;
  int refused = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    SCOPED_TRACE("QUORATE_SEED=" + std::to_string(seed));
    Verdicts verdicts(seed);
    verdicts.Play();
    if (HasFailure()) {
      return;
    }
    verified += verdicts.verified;
    refused += verdicts.refused;
  }
  if (!seeds.chosen) {
    EXPECT_GT(refused, verified / 10);
    EXPECT_LT(refused, verified * 9 / 10);
  }
}

}  // namespace
}  // namespace quorate::txn::internal
