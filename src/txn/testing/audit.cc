#include "txn/testing/audit.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "txn/internal/applier.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn {
namespace {

constexpr std::size_t kAnyBytes = SIZE_MAX;

struct Contents {
  std::map<std::string, std::string> state;  // As it is stored.
  std::set<Sha256Digest> packs;              // Installed.
};

std::map<std::string, std::string> StoredState(const kv::Reader& reader) {
  const std::string prefix = internal::PartitionPrefix(World::kPartition);
  std::map<std::string, std::string> state;
  const auto at = reader.NewIterator(kv::Family::kState, prefix, internal::PrefixEnd(prefix));
  for (; at->Valid(); at->Next()) {
    state.emplace(at->key(), at->value());
  }
  state.erase(internal::AppliedKey(World::kPartition));
  state.erase(internal::ObjectsDurableKey(World::kPartition));
  return state;
}

// Notes what would be installed.
class NotedPacks final : public git::PackInstaller {
 public:
  Status Install(const git::PackRecord& record,
                 std::unique_ptr<git::QuarantinedPack> /*local*/) override {
    digests_.insert(record.digest);
    return Ok();
  }
  const std::set<Sha256Digest>& digests() const { return digests_; }

 private:
  std::set<Sha256Digest> digests_;
};

class Auditor {
 public:
  Auditor(World& world, const std::vector<consensus::Entry>* delivered)
      : world_(world), delivered_(delivered) {}

  std::vector<std::string> Run() {
    if (!world_.is_open() && (delivered_ != nullptr || !Reopen("after the script"))) {
      return std::move(wrong_);
    }
    if (const Result<Snapshot> snapshot = world_.manager().LocalSnapshot(); !snapshot) {
      Wrong(fmt::format("does not serve: {}", snapshot.error().ToString()));
      return std::move(wrong_);
    }
    CommitNothing();
    CheckLeftovers();
    const Contents now = Now();
    CompareWithLog(now);
    if (delivered_ == nullptr) {
      world_.Crash(0);
      CompareReopened("after a crash", now);
      if (world_.is_open()) {
        world_.Stop();
        CompareReopened("after closing", now);
      }
    }
    return std::move(wrong_);
  }

 private:
  void Wrong(std::string line) { wrong_.push_back(std::move(line)); }

  bool Reopen(std::string_view when) {
    const Status opened = world_.Open();
    world_.Run();
    if (!opened) {
      Wrong(fmt::format("{}: does not open: {}", when, opened.error().ToString()));
    }
    return opened.has_value();
  }

  // What was kept for a transaction is forgotten as the next one commits.
  void CommitNothing() {
    if (Result<Transaction> nothing = world_.manager().Begin({})) {
      world_.manager().Commit(*std::move(nothing), [](const Result<CommitOutcome>&) {});
      world_.Run();
    }
  }

  void CheckLeftovers() {
    const TransactionManager::ManagerStatus status = world_.manager().status();
    if (status.in_flight != 0) {
      Wrong(fmt::format("{} proposals are in flight", status.in_flight));
    }
    if (status.leading && status.window_keys != 0) {
      Wrong(fmt::format("the window holds {} versions", status.window_keys));
    }
    if (world_.packs.quarantined() != 0) {
      Wrong(fmt::format("{} packs are quarantined", world_.packs.quarantined()));
    }
    if (world_.packs.staged() != 0) {
      Wrong(fmt::format("{} packs are staged beside the log", world_.packs.staged()));
    }
    const log::LogStatus log = world_.log_status();
    if (log.applied != log.committed || log.applied != world_.position().lsn) {
      Wrong(fmt::format("committed up to {}, the log knows of {} as applied, the state is of {}",
                        log.committed.value, log.applied.value, world_.position().lsn.value));
    }
  }

  Contents Now() {
    return {.state = StoredState(world_.manager().LocalSnapshot()->view()),
            .packs = world_.packs.installed()};
  }

  void CompareReopened(std::string_view when, const Contents& before) {
    if (!Reopen(when)) {
      return;
    }
    if (Result<Snapshot> snapshot = world_.manager().LocalSnapshot(); !snapshot) {
      Wrong(fmt::format("{}: {}", when, snapshot.error().ToString()));
    } else {
      Compare(when, before, Now());
    }
  }

  void CompareWithLog(const Contents& now) {
    const std::string_view when = "the log applied to an empty state";
    Result<std::vector<consensus::Entry>> entries =
        delivered_ != nullptr ? *delivered_ : ReadLog(world_.position().lsn);
    if (!entries) {
      Wrong(fmt::format("{}: {}", when, entries.error().ToString()));
      return;
    }
    if (entries->empty() || entries->front().lsn != kBootstrapPosition.lsn.Next()) {
      return;  // Nothing was logged, or its beginning was truncated.
    }
    std::vector<internal::ApplyItem> items;
    for (consensus::Entry& entry : *entries) {
      items.push_back({.entry = std::move(entry), .record = {}, .locals = {}});
    }
    kv::MemoryStore empty;
    NotedPacks packs;
    internal::Applier applier(World::kPartition, empty, &packs, kBootstrapPosition);
    if (const Status applied = applier.Apply(items); !applied) {
      Wrong(fmt::format("{}: {}", when, applied.error().ToString()));
      return;
    }
    Compare(when, now, {.state = StoredState(empty), .packs = packs.digests()});
  }

  Result<std::vector<consensus::Entry>> ReadLog(Lsn last) {
    const log::StoredLog stored = QUORATE_TRY(world_.logs().Load(World::kPartition));
    std::vector<consensus::Entry> entries;
    for (Lsn next = stored.truncated.lsn.Next(); next <= last;) {
      for (consensus::Entry& entry :
           QUORATE_TRY(world_.logs().Read(World::kPartition, next, last.Next(), kAnyBytes))) {
        entries.push_back(std::move(entry));
      }
      next = entries.back().lsn.Next();
    }
    return entries;
  }

  void Compare(std::string_view when, const Contents& expected, const Contents& found) {
    const auto tell = [this, when](std::string_view what, const auto& pair) {
      Wrong(fmt::format("{}: {}: {} = {}", when, what, Printable(pair.first, 200),
                        Printable(pair.second, 200)));
    };
    for (const auto& pair : expected.state) {
      const auto at = found.state.find(pair.first);
      if (at == found.state.end() || at->second != pair.second) {
        tell("lost", pair);
      }
    }
    for (const auto& pair : found.state) {
      const auto at = expected.state.find(pair.first);
      if (at == expected.state.end() || at->second != pair.second) {
        tell("new", pair);
      }
    }
    if (expected.packs != found.packs) {
      Wrong(fmt::format("{}: {} packs instead of {}, or others", when, found.packs.size(),
                        expected.packs.size()));
    }
  }

  World& world_;
  const std::vector<consensus::Entry>* const delivered_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> Audit(World& world, const std::vector<consensus::Entry>* delivered) {
  return Auditor(world, delivered).Run();
}

}  // namespace quorate::txn
