#include "cluster/partition.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "consensus/conf_state.h"
#include "log/local_log.h"
#include "raft/replica.h"

namespace quorate::cluster {
namespace {

constexpr ReplicaId kFoundingReplica{1};
constexpr const char* kAppliedGauge = "quorate_partition_applied_lsn";

// A group of one sends nothing. Whatever else there may be to send is dropped, as any transport
// may.
class NoPeers final : public raft::Transport {
 public:
  void Send(raft::Message /*message*/) override {}
};

env::Labels PartitionLabels(PartitionId id) {
  return {{"partition", std::to_string(id.value)}};
}

// Deletes on the storage pool, wherever the last holder lets go; in place if the pool has stopped.
struct StorageDeleter {
  env::StrandPool& storage;

  void operator()(Partition* partition) const {
    storage.Post([owned = std::unique_ptr<Partition>(partition)]() mutable { owned.reset(); });
  }
};

}  // namespace

Status Partition::Found(PartitionId id, log::LogStore& logs, env::Random& random) {
  consensus::ConfState alone;
  alone.voters = {kFoundingReplica};
  const log::Identity identity{.replica = kFoundingReplica, .incarnation = random.Next()};
  Status founded = logs.Bootstrap(id, identity, alone.Encode());
  if (!founded && founded.error().code() == Code::kAlreadyExists) {
    QUORATE_TRY(logs.Load(id));  // Unless it is the tombstone of an earlier one.
    return Ok();
  }
  return founded;
}

void Partition::Open(PartitionOptions options, const NodeEnv& env,
                     std::shared_ptr<const NodeStores> stores, OpenDone done) {
  const std::shared_ptr<Partition> partition(
      new Partition(std::move(options), env, std::move(stores)), StorageDeleter{env.storage});
  partition->opening_ = {.done = std::move(done), .self = partition};
  Status opened = partition->OpenParts();
  if (!opened) {
    partition->Opened(std::move(opened));
  }
}

Partition::Partition(PartitionOptions options, const NodeEnv& env,
                     std::shared_ptr<const NodeStores> stores)
    : options_(std::move(options)),
      env_(env),
      presence_(stores->census),
      stores_(std::move(stores)),
      strand_(env_.core.NewStrand()),
      storage_(env_.storage.NewStrand()),
      applied_gauge_(&env_.metrics.GetGauge(kAppliedGauge,
                                            "Newest entry that an open partition has applied.",
                                            PartitionLabels(options_.id))) {
}

Partition::~Partition() {
  QUORATE_CHECK(!opening_.has_value());
}

Status Partition::OpenParts() {
  const log::StoredLog stored = QUORATE_TRY(stores_->logs->Load(options_.id));
  replica_ = stored.identity.replica;
  if (!options_.root.empty()) {
    objects_ = QUORATE_TRY(git::ObjectStore::Open(options_.root, options_.format, env_.files,
                                                  env_.children, env_.random, options_.objects));
  }
  LogWatcher& watcher = *this;
  log_ = std::make_unique<WatchedLog>(MakeLog(), *strand_, watcher);
  transactions_ = std::make_unique<txn::TransactionManager>(
      txn::TransactionManagerDeps{.partition = options_.id,
                                  .strand = *strand_,
                                  .storage = *storage_,
                                  .log = *log_,
                                  .store = *stores_->store,
                                  .states = *stores_->states,
                                  .packs = objects_.get(),
                                  .files = objects_ == nullptr ? nullptr : &env_.files,
                                  .root = options_.root,
                                  .clock = env_.clock,
                                  .random = env_.random,
                                  .logger = env_.logger,
                                  .metrics = env_.metrics,
                                  .log_store = objects_ == nullptr ? nullptr : stores_->logs.get(),
                                  .drop_staged_except = DropStagedExcept()},
      options_.transactions);
  QUORATE_TRY(transactions_->Open());
  // Stop() stops it again.
  give_up_.emplace(options_.give_up, [this] { transactions_->Stop([] {}); });
  transactions_->WaitWritable([this](Status writable) {
    storage_->Post(
        [this, writable = std::move(writable)]() mutable { Opened(std::move(writable)); });
  });
  return Ok();
}

std::function<Status(const std::vector<Sha256Digest>&)> Partition::DropStagedExcept() {
  if (objects_ == nullptr) {
    return {};
  }
  return
      [this](const std::vector<Sha256Digest>& named) { return objects_->DropStagedExcept(named); };
}

std::unique_ptr<log::LogManager> Partition::MakeLog() {
  if (options_.log_mode == LogMode::kLocal) {
    return std::make_unique<log::LocalLog>(options_.id, *strand_, *stores_->logs,
                                           log::LocalLogOptions{});
  }
  transport_ = std::make_unique<NoPeers>();
  return std::make_unique<raft::Replica>(options_.id,
                                         raft::Replica::Environment{.strand = *strand_,
                                                                    .logs = *stores_->logs,
                                                                    .transport = *transport_,
                                                                    .random = env_.random,
                                                                    .logger = env_.logger,
                                                                    .metrics = env_.metrics},
                                         raft::ReplicaOptions{});
}

// Answers the caller of Open(), once; later news find nobody waiting. What cannot be opened is
// stopped first, because its log may already have work under way.
void Partition::Opened(Status status) {
  std::optional<Opening> opening;
  {
    const std::lock_guard lock(mutex_);
    opening = std::exchange(opening_, std::nullopt);
  }
  if (!opening) {
    return;
  }
  if (status) {
    std::move(opening->done)(std::move(opening->self));
    return;
  }
  if (transactions_ == nullptr) {
    std::move(opening->done)(std::move(status).error());
    return;
  }
  Stop([waiting = *std::move(opening), error = std::move(status).error()]() mutable {
    std::move(waiting.done)(std::move(error));
  });
}

void Partition::UpdateMetrics() {
  const double applied = static_cast<double>(transactions_->status().applied.value);
  const std::lock_guard lock(mutex_);
  if (applied_gauge_ != nullptr) {
    applied_gauge_->Set(applied);
  }
}

void Partition::Stop(Callback<> done) {
  give_up_.reset();  // Waits for a call under way; what it posted stands before our own hops.
  {
    const std::lock_guard lock(mutex_);
    QUORATE_CHECK(applied_gauge_ != nullptr);
    applied_gauge_ = nullptr;
    env_.metrics.RemoveGauge(kAppliedGauge, PartitionLabels(options_.id));
  }
  // Once through either strand, so that no task of theirs is still on its way out when the caller
  // lets go of us.
  transactions_->Stop([this, done = std::move(done)]() mutable {
    strand_->Post([this, done = std::move(done)]() mutable { storage_->Post(std::move(done)); });
  });
}

void Partition::OnAppended(std::size_t bytes) {
  if (options_.on_appended) {
    options_.on_appended(bytes);
  }
}

void Partition::OnReady(Term term, Lsn no_op) {
  env_.logger.Info("partition ready",
                   {{"partition", options_.id.value}, {"term", term.value}, {"lsn", no_op.value}});
}

void Partition::OnFollowing(Term term, ReplicaId leader) {
  env_.logger.Info(
      "partition follows",
      {{"partition", options_.id.value}, {"term", term.value}, {"leader", leader.value}});
}

void Partition::OnFenced(const Error& reason) {
  env_.logger.Fail("partition fenced",
                   {{"partition", options_.id.value}, {"reason", reason.ToString()}});
}

}  // namespace quorate::cluster
