#include "sim/group_stage.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"

namespace quorate::sim {
namespace {

constexpr std::uint64_t kReplicas = 3;
// Several heartbeats: followers learn of a commit with the next one.
constexpr std::uint64_t kTurnsToLevel = 20 * Group::kTurnsPerTick;
// Many elections.
constexpr std::uint64_t kIdleTurnsMax = 200 * Group::kTurnsPerTick;

}  // namespace

GroupStage::GroupStage(std::uint64_t seed, txn::TransactionManagerOptions options)
    : prng_(seed),
      group_({.replicas = kReplicas, .seed = seed, .transactions = options, .replica = {}}) {
}

std::vector<txn::Node*> GroupStage::nodes() {
  std::vector<txn::Node*> nodes;
  for (const ReplicaId id : group_.ids()) {
    nodes.push_back(&group_.node(id));
  }
  return nodes;
}

ReplicaId GroupStage::IdOf(const txn::Node& node) {
  for (const ReplicaId id : group_.ids()) {
    if (&group_.node(id) == &node) {
      return id;
    }
  }
  QUORATE_CHECK(false);
}

Status GroupStage::Open() {
  Status opened = Ok();
  for (const ReplicaId id : group_.ids()) {
    if (!group_.up(id)) {
      Status one = group_.Start(id);
      opened = one ? opened : one;
    }
  }
  if (const std::optional<ReplicaId> leader = group_.AwaitLeader()) {
    front_ = *leader;
  }
  for (;;) {
    Run();
    const std::optional<ReplicaId> leader = level_ ? front_ : group_.leader();
    if (!leader || *leader == front_) {
      return opened;
    }
    front_ = *leader;  // It campaigned at the same time as the one that led first.
  }
}

txn::Stage::Nodes GroupStage::Crash(const Keep& keep, const Nodes& together) {
  const bool front_will_do =
      std::ranges::all_of(together, [this](const txn::Node* node) { return node == &front(); });
  const bool alone = front_will_do && level_ && !AnyFenced() && prng_.OneIn(2);
  Nodes crashed;
  for (const ReplicaId id : group_.ids()) {
    txn::Node& node = group_.node(id);
    if (node.is_open() && (!alone || id == front_)) {
      node.Crash(keep(node.disk().unsynced()));
      crashed.insert(&node);
    }
  }
  if (alone) {
    PassSomeTime();
  }
  at_rest_ = level_ = false;
  return crashed;
}

void GroupStage::CrashAlone(txn::Node& node, std::size_t keep_unsynced) {
  node.Crash(keep_unsynced);
  PassSomeTime();
  at_rest_ = level_ = false;
}

void GroupStage::PassSomeTime() {
  for (std::uint64_t turns = prng_.Below(kTurnsToLevel); turns > 0; --turns) {
    group_.Turn();
  }
}

void GroupStage::Stop() {
  std::vector<ReplicaId> order = group_.ids();
  // First the one that has work under way: the others are needed for it.
  std::stable_partition(order.begin(), order.end(), [this](ReplicaId id) { return id == front_; });
  for (const ReplicaId id : order) {
    if (!group_.up(id)) {
      continue;
    }
    bool stopped = false;
    group_.node(id).manager().Stop([&stopped] { stopped = true; });
    QUORATE_CHECK(group_.TurnUntil([&stopped] { return stopped; }));
  }
  for (const ReplicaId id : order) {
    group_.node(id).Close();
  }
  at_rest_ = level_ = false;
}

void GroupStage::BeginStop(Callback<> stopped) {
  front().manager().Stop(std::move(stopped));
  Run();
  for (txn::Node* node : nodes()) {
    if (node != &front() && node->is_open()) {
      node->manager().Stop([] {});
    }
  }
  Run();
}

bool GroupStage::AnyFenced() {
  return std::ranges::any_of(
      nodes(), [](txn::Node* node) { return node->is_open() && node->manager().status().fenced; });
}

// The front leads, and every replica that is up has applied all that it has appended.
bool GroupStage::IsLevel() {
  if (!group_.up(front_) || !front().manager().status().leading) {
    return false;
  }
  log::LogStatus leader;
  group_.OnStrand(front_, [&leader](raft::Replica& replica) { leader = replica.status(); });
  group_.env().RunUntilIdle();
  return leader.leading && std::ranges::all_of(nodes(), [&leader](txn::Node* node) {
           return !node->is_open() || node->manager().status().applied == leader.last;
         });
}

void GroupStage::Run() {
  group_.Settle();
  level_ = group_.TurnUntil([this] { return IsLevel(); }, kTurnsToLevel);
  if (!level_) {
    // What maintenance does now and then: a disk that was full may have room again. At the front,
    // a commit finds that out.
    for (const ReplicaId id : group_.ids()) {
      if (id != front_ && group_.up(id)) {
        static_cast<void>(group_.node(id).manager().SyncObjects());
      }
    }
    level_ = group_.TurnUntil([this] { return IsLevel(); }, kTurnsToLevel);
  }
  at_rest_ = true;
  idle_turns_ = 0;
}

bool GroupStage::RunOne() {
  at_rest_ = false;
  if (group_.env().RunOne()) {
    return true;
  }
  // Also with tasks in between: replicas that live on have some for ever.
  group_.BeginTurn();
  return ++idle_turns_ < kIdleTurnsMax;
}

std::function<bool()> GroupStage::WatchWrites() {
  const auto last = [this](ReplicaId id) {
    if (!group_.up(id)) {
      return Lsn{};
    }
    const auto stored = group_.node(id).process().logs().Load(txn::Node::kPartition);
    return stored ? stored->last : Lsn{};
  };
  std::map<ReplicaId, Lsn> before;
  for (const ReplicaId id : group_.ids()) {
    before[id] = last(id);
  }
  return [last, before = std::move(before)] {
    const auto more = std::ranges::count_if(
        before, [&last](const auto& item) { return last(item.first) > item.second; });
    return static_cast<std::size_t>(more) > before.size() / 2;
  };
}

txn::Node& GroupStage::ChooseHome(bool far) {
  if (!at_rest_ || !level_) {
    return front();  // Elsewhere the snapshot would be an older one.
  }
  for (;;) {
    const ReplicaId id{1 + prng_.Below(kReplicas)};
    if (group_.up(id) && !(far && id == front_)) {
      return group_.node(id);
    }
  }
}

void GroupStage::Engage(txn::Node& home) {
  if (&home != &front() && !AnyFenced()) {
    if (!at_rest_) {
      Run();
    }
    Lead(IdOf(home));
  }
  at_rest_ = false;
}

void GroupStage::Pause() {
  if (at_rest_ && level_ && prng_.OneIn(3)) {
    Lead(ReplicaId{1 + prng_.Below(kReplicas)});
  }
}

// REQUIRES: at rest.
void GroupStage::Lead(ReplicaId id) {
  if (level_ && group_.up(id) && id != front_) {
    if (group_.MoveLeader(id)) {
      front_ = id;
    }
    Run();  // Says so if it did not work: nothing is level then.
  }
}

}  // namespace quorate::sim
