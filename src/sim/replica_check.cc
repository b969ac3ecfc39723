#include "sim/replica_check.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "kv/store.h"

namespace quorate::sim {
namespace {

// What a replica keeps for itself alone among the state that all have.
std::string OwnKey() {
  kv::WriteBatch batch;
  txn::RecordObjectsDurable(txn::Node::kPartition, Lsn{1}, batch);
  return batch.changes().front().key;
}

// Of everything that the partition stores beside its log.
std::uint64_t HashOf(const kv::Snapshot& view) {
  static const std::string own = OwnKey();
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&hash](std::string_view bytes) {
    for (const char byte : bytes) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    }
    hash = (hash ^ bytes.size()) * 0x100000001b3ULL;
  };
  for (auto it = view.NewIterator(kv::Family::kState, "", "\xff"); it->Valid(); it->Next()) {
    if (it->key() != own) {
      mix(it->key());
      mix(it->value());
    }
  }
  return hash;
}

}  // namespace

void ReplicaCheck::CheckStates() {
  for (const ReplicaId id : group_.ids()) {
    if (!group_.up(id)) {
      continue;
    }
    const Result<txn::Snapshot> snapshot = group_.node(id).manager().LocalSnapshot();
    if (snapshot) {
      oracle_.CheckState(id, *snapshot, HashOf(snapshot->view()));
      CheckClosure(id, *snapshot);
    }
  }
}

// The closure rule: whatever a reference points at is installed, and all that it was built upon.
void ReplicaCheck::CheckClosure(ReplicaId at, const txn::Snapshot& snapshot) {
  const Result<Contents> contents = ReadAll(snapshot);
  if (!contents) {
    return;
  }
  const std::map<std::string, std::string>& objects = oracle_.model().objects();
  std::set<std::string> good;
  for (const auto& [key, value] : *contents) {
    if (!key.starts_with("ref ") || !value.starts_with('o')) {
      continue;
    }
    for (std::string object = value; !object.empty() && good.insert(object).second;) {
      const auto known = objects.find(object);
      if (known == objects.end() ||
          !group_.node(at).packs.IsInstalled(object + "<" + known->second)) {
        oracle_.Violate("closure", fmt::format("n{} at {}: {} is {}, and {} is missing", at.value,
                                               snapshot.lsn().value, key, value, object));
        return;
      }
      object = known->second;
    }
  }
}

bool ReplicaCheck::Converged() {
  bool writable = false;
  for (const ReplicaId id : group_.ids()) {
    if (!group_.up(id)) {
      return false;
    }
    const auto status = group_.node(id).manager().status();
    writable = writable || status.leading;
    if (status.applied != oracle_.model().lsn()) {
      return false;
    }
  }
  return writable;
}

void ReplicaCheck::CheckEnd(bool restarted) {
  group_.Settle();
  CheckStates();
  for (const ReplicaId id : group_.ids()) {
    const Result<txn::Snapshot> snapshot = group_.node(id).manager().LocalSnapshot();
    if (!snapshot) {
      oracle_.Violate("state", snapshot.error().ToString());
      return;
    }
    oracle_.CheckTransactionIds(id, *snapshot);
    CheckConsumers(id, *snapshot);
    CheckLeftovers(id);
    if (restarted) {
      CheckStagedPacks(id);
    }
  }
}

void ReplicaCheck::CheckConsumers(ReplicaId at, const txn::Snapshot& snapshot) {
  constexpr std::size_t kAll = 10'000;
  for (std::uint64_t id = 1; id <= kRepositories; ++id) {
    const RepositoryId repository{id};
    const auto consumers = txn::ListConsumers(snapshot, repository);
    for (const txn::Consumer& consumer : consumers.value()) {
      if (!consumer.cut_off()) {
        oracle_.CheckChanges(at, snapshot, repository, consumer.acknowledged, kAll,
                             group_.node(at).manager().ReadChanges(snapshot, consumer, kAll));
      }
    }
  }
}

void ReplicaCheck::CheckLeftovers(ReplicaId at) {
  txn::Node& node = group_.node(at);
  const auto status = node.manager().status();
  const auto left = [&](std::string_view what, std::size_t count) {
    if (count != 0) {
      oracle_.Violate("leftovers", fmt::format("n{} has {} {}", at.value, count, what));
    }
  };
  left("versions in its conflict window", status.window_keys);
  left("transactions in flight", status.in_flight);
  left("quarantines", static_cast<std::size_t>(node.packs.quarantined()));
}

void ReplicaCheck::CheckStagedPacks(ReplicaId at) {
  txn::Node& node = group_.node(at);
  std::size_t packs = 0;
  for (const Intent& intent : oracle_.intents()) {
    for (const PackWrite& pack : intent.spec.packs) {
      packs += node.packs.IsPersisted(pack.Bytes()) ? 1 : 0;
    }
  }
  if (packs != 0) {
    oracle_.Violate("leftovers",
                    fmt::format("n{} has {} packs that nobody needs", at.value, packs));
  }
}

}  // namespace quorate::sim
