#include "sim/follower.h"

#include <utility>
#include <vector>

#include "txn/consumer.h"

namespace quorate::sim {

Follower::Follower(std::string name, const Workload& workload, Group& group, Oracle& oracle,
                   std::uint64_t seed)
    : name_(std::move(name)),
      repository_{seed % 3 == 0 ? 2U : 1U},
      group_(group),
      oracle_(oracle),
      prng_(seed),
      client_(name_, workload, group, oracle, prng_.Next()) {
}

void Follower::Step(bool finishing) {
  // It wants nothing but what is wanted here.
  client_.Step(/*finishing=*/true);
  if (finishing || !client_.idle() || --asleep_ > 0) {
    return;
  }
  asleep_ = prng_.OneIn(12) ? 80 : 0;
  if (prng_.OneIn(3)) {
    Look();
  }
}

// What a replica has applied may be old: then it reads again what it has read, or less.
void Follower::Look() {
  const std::vector<ReplicaId> ids = group_.ids();
  const ReplicaId at = ids[prng_.Below(ids.size())];
  if (!group_.up(at)) {
    return;
  }
  const txn::TransactionManager& manager = group_.node(at).manager();
  const Result<txn::Snapshot> snapshot = manager.LocalSnapshot();
  if (!snapshot || !oracle_.model().ValueAt(RepositoryKey(repository_), snapshot->lsn())) {
    return;
  }
  const auto found = txn::FindFollowingConsumer(*snapshot, repository_, name_);
  if (!found) {
    Want(ConsumerWrite::What::kCreate, {});
    return;
  }
  const std::size_t count_max = 1 + prng_.Below(5);
  const auto changes = manager.ReadChanges(*snapshot, *found, count_max);
  oracle_.CheckChanges(at, *snapshot, repository_, found->acknowledged, count_max, changes);
  if (prng_.OneIn(25)) {
    Want(ConsumerWrite::What::kRemove, {});
  } else if (changes && !changes->empty()) {
    Want(ConsumerWrite::What::kAcknowledge, changes->back().lsn);
  }
}

void Follower::Want(ConsumerWrite::What what, Lsn acknowledged) {
  Spec spec;
  spec.consumers.push_back(
      {.repository = repository_, .name = name_, .what = what, .acknowledged = acknowledged});
  client_.Want(std::move(spec));
}

}  // namespace quorate::sim
