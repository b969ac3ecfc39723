#include "txn/testing/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "env/testing/manual_env.h"
#include "kv/testing/memory_store.h"
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
  const std::string prefix = internal::PartitionPrefix(Node::kPartition);
  std::map<std::string, std::string> state;
  const auto at = reader.NewIterator(kv::Family::kState, prefix, internal::PrefixEnd(prefix));
  for (; at->Valid(); at->Next()) {
    state.emplace(at->key(), at->value());
  }
  state.erase(internal::AppliedKey(Node::kPartition));
  state.erase(internal::ObjectsDurableKey(Node::kPartition));
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
  Auditor(Stage& stage, const std::vector<consensus::Entry>* delivered)
      : stage_(stage), delivered_(delivered) {}

  std::vector<std::string> Run() {
    if (delivered_ != nullptr ? !AllOpen() : !AllOpen() && !Reopen("after the script")) {
      return std::move(wrong_);
    }
    for (Node* node : stage_.nodes()) {
      if (!CheckOne(*node)) {
        return std::move(wrong_);
      }
    }
    stage_.Run();
    const Contents now = Now(stage_.front());
    CompareReplicas("at rest", now);
    if (delivered_ == nullptr) {
      const std::vector<Node*> all = stage_.nodes();
      stage_.Crash([](std::size_t) { return 0; }, Stage::Nodes(all.begin(), all.end()));
      CompareReopened("after a crash", now);
      if (AllOpen()) {
        stage_.Stop();
        CompareReopened("after closing", now);
        std::ranges::for_each(stage_.nodes(), [this](const Node* node) { CheckStaged(*node); });
      }
    }
    return std::move(wrong_);
  }

 private:
  void Wrong(std::string line) { wrong_.push_back(std::move(line)); }

  bool AllOpen() {
    return std::ranges::all_of(stage_.nodes(), [](const Node* node) { return node->is_open(); });
  }

  bool Reopen(std::string_view when) {
    const Status opened = stage_.Open();
    if (!opened) {
      Wrong(fmt::format("{}: does not open: {}", when, opened.error().ToString()));
    }
    return opened.has_value();
  }

  bool CheckOne(Node& node) {
    if (const Result<Snapshot> snapshot = node.manager().LocalSnapshot(); !snapshot) {
      Wrong(fmt::format("does not serve: {}", snapshot.error().ToString()));
      return false;
    }
    CommitNothing(node);
    CheckLeftovers(node);
    CompareWithLog(node);
    return true;
  }

  // What was kept for a transaction is forgotten as the next one commits.
  void CommitNothing(Node& node) {
    stage_.Engage(node);
    if (Result<Transaction> nothing = node.manager().Begin({})) {
      std::optional<Error> refused;
      node.manager().Commit(*std::move(nothing), [&refused](const Result<CommitOutcome>& outcome) {
        refused = outcome ? std::nullopt : std::optional(outcome.error());
      });
      stage_.Run();
      if (refused && delivered_ == nullptr) {  // A scripted log may not lead.
        Wrong(fmt::format("does not serve: {}", refused->ToString()));
      }
    }
  }

  void CheckLeftovers(Node& node) {
    const TransactionManager::ManagerStatus status = node.manager().status();
    if (status.in_flight != 0) {
      Wrong(fmt::format("{} proposals are in flight", status.in_flight));
    }
    if (status.leading && status.window_keys != 0) {
      Wrong(fmt::format("the window holds {} versions", status.window_keys));
    }
    if (node.packs.quarantined() != 0) {
      Wrong(fmt::format("{} packs are quarantined", node.packs.quarantined()));
    }
    if (Alone()) {
      CheckStaged(node);
    }
    log::LogStatus log;
    node.process().strand().Post([&node, &log] { log = node.log().status(); });
    stage_.Run();
    if (log.applied != log.committed || log.applied != PositionOf(node).lsn) {
      Wrong(fmt::format("committed up to {}, the log knows of {} as applied, the state is of {}",
                        log.committed.value, log.applied.value, PositionOf(node).lsn.value));
    }
  }

  // A replica of a group may have found an entry in its log, after a crash, that was then replaced
  // by another leader's: the pack that it named goes at the next opening.
  bool Alone() { return stage_.nodes().size() == 1; }

  void CheckStaged(const Node& node) {
    if (node.packs.staged() != 0) {
      Wrong(fmt::format("{} packs are staged beside the log", node.packs.staged()));
    }
  }

  static Position PositionOf(Node& node) { return node.manager().LocalSnapshot()->position(); }

  static Contents Now(Node& node) {
    return {.state = StoredState(node.manager().LocalSnapshot()->view()),
            .packs = node.packs.installed()};
  }

  // Each with `expected`, and with the front's position.
  void CompareReplicas(std::string_view when, const Contents& expected) {
    for (Node* node : stage_.nodes()) {
      if (const Result<Snapshot> snapshot = node->manager().LocalSnapshot(); !snapshot) {
        Wrong(fmt::format("{}: {}", when, snapshot.error().ToString()));
        continue;
      }
      if (PositionOf(*node) != PositionOf(stage_.front())) {
        Wrong(fmt::format("{}: a replica stands at {}, another at {}", when,
                          PositionOf(*node).lsn.value, PositionOf(stage_.front()).lsn.value));
      }
      Compare(when, expected, Now(*node));
    }
  }

  void CompareReopened(std::string_view when, const Contents& before) {
    if (Reopen(when)) {
      CompareReplicas(when, before);
    }
  }

  void CompareWithLog(Node& node) {
    const std::string_view when = "the log applied to an empty state";
    Result<std::vector<consensus::Entry>> entries =
        delivered_ != nullptr ? *delivered_ : ReadLog(node);
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
    env::ManualEnv env;
    kv::GroupWriter states(empty, env.NewStrand());
    internal::Applier applier(Node::kPartition, empty, states, &packs,
                              std::make_shared<internal::AppliedMark>(), kBootstrapPosition);
    Status applied;
    applier.Apply(std::move(items),
                  [&applied](Status status, const std::vector<internal::ApplyItem>&) {
                    applied = std::move(status);
                  });
    if (!applied) {
      Wrong(fmt::format("{}: {}", when, applied.error().ToString()));
      return;
    }
    Compare(when, Now(node), {.state = StoredState(empty), .packs = packs.digests()});
  }

  static Result<std::vector<consensus::Entry>> ReadLog(Node& node) {
    const log::LogStore& logs = node.process().logs();
    const Lsn last = PositionOf(node).lsn;
    const log::StoredLog stored = QUORATE_TRY(logs.Load(Node::kPartition));
    std::vector<consensus::Entry> entries;
    for (Lsn next = stored.truncated.lsn.Next(); next <= last;) {
      for (consensus::Entry& entry :
           QUORATE_TRY(logs.Read(Node::kPartition, next, last.Next(), kAnyBytes))) {
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

  Stage& stage_;
  const std::vector<consensus::Entry>* const delivered_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> Audit(Stage& stage, const std::vector<consensus::Entry>* delivered) {
  return Auditor(stage, delivered).Run();
}

}  // namespace quorate::txn
