#include "cluster/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "cluster/data_directory.h"
#include "cluster/directory.h"
#include "cluster/disk_guard.h"
#include "cluster/maintenance.h"
#include "cluster/partition.h"
#include "cluster/repositories.h"
#include "cluster/repository_name.h"
#include "consensus/conf_state.h"
#include "git/ref_name.h"
#include "kv/rocksdb_store.h"

namespace quorate::cluster {
namespace {

// How long Stop() waits for users of repositories to let go of them.
constexpr std::chrono::milliseconds kHandlesPatience(1000);

Result<std::shared_ptr<const NodeStores>> OpenStores(const DataDirectory& data,
                                                     const NodeOptions& options,
                                                     const NodeEnv& env) {
  const kv::RocksDbOptions store{.accept_damaged_wal = options.accept_damaged_wal};
  auto stores = std::make_shared<NodeStores>();
  stores->store = QUORATE_TRY(kv::RocksDbStore::Open(data.database(), store, env.logger));
  stores->states = std::make_unique<kv::GroupWriter>(*stores->store, env.storage.NewStrand());
  stores->logs = std::make_unique<log::LogStore>(*stores->store, env.storage.NewStrand(),
                                                 log::LogStoreOptions{}, env.logger, env.metrics);
  return std::shared_ptr<const NodeStores>(std::move(stores));
}

// Waits on the calling thread, which is none of the pools'.
Result<std::shared_ptr<Partition>> OpenPartition(PartitionOptions options, const NodeEnv& env,
                                                 std::shared_ptr<const NodeStores> stores) {
  std::promise<Result<std::shared_ptr<Partition>>> opened;
  Partition::Open(
      std::move(options), env, std::move(stores),
      [&](Result<std::shared_ptr<Partition>> result) { opened.set_value(std::move(result)); });
  return opened.get_future().get();
}

Status CheckDefaultBranch(const std::string& branch) {
  if (!branch.starts_with("refs/heads/") || !git::IsValidRefName(branch)) {
    return Error(Code::kInvalidArgument,
                 fmt::format("default branch '{}' is not a valid name below refs/heads/", branch));
  }
  return Ok();
}

}  // namespace

class Node::Impl {
 public:
  Impl(NodeOptions options, const NodeEnv& env)
      : options_(std::move(options)),
        env_(env),
        guard_({.path = options_.data_directory, .free_bytes_min = options_.free_bytes_min},
               env_.files, env_.clock) {}

  ~Impl() { QUORATE_CHECK(meta_ == nullptr); }

  Status Open();
  void Stop();

  NodeId id() const { return NodeId{meta_replica_.value}; }
  const DiskGuard& guard() const { return guard_; }
  Repositories& repositories() { return *repositories_; }
  const Directory& directory() const { return *directory_; }
  std::string views() const { return data_->views(); }

  Result<std::vector<PartitionDescription>> DescribePartitions() const;

 private:
  Status OpenMeta();
  Status DropStrays();
  void OpenRepositories();
  void KeepHouse();

  std::vector<NodeId> NodesOf(ReplicaId own, const std::vector<ReplicaId>& replicas) const;
  PartitionDescription DescribeOpen(const Partition& partition) const;
  Result<PartitionDescription> DescribeClosed(PartitionId id) const;

  const NodeOptions options_;
  const NodeEnv env_;
  const DiskGuard guard_;

  std::unique_ptr<DataDirectory> data_;
  std::shared_ptr<const NodeStores> stores_;
  std::shared_ptr<Partition> meta_;
  ReplicaId meta_replica_;  // Of this node in the meta group.
  std::unique_ptr<env::Strand> directory_strand_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<Repositories> repositories_;
};

Status Node::Impl::Open() {
  const std::chrono::nanoseconds begun = env_.clock.Monotonic();
  data_ = QUORATE_TRY(DataDirectory::Open(options_.data_directory, env_.files));
  stores_ = QUORATE_TRY(OpenStores(*data_, options_, env_));
  QUORATE_TRY(OpenMeta());
  directory_strand_ = env_.storage.NewStrand();
  directory_ = std::make_unique<Directory>(meta_->transactions(), *directory_strand_);
  OpenRepositories();
  QUORATE_TRY(directory_->Load());
  QUORATE_TRY(DropStrays());
  QUORATE_TRY(repositories_->Recover());
  maintenance_->Start();
  const auto took = env_.clock.Monotonic() - begun;
  env_.logger.Info(
      "node ready",
      {{"node", id().value},
       {"repositories", directory_->size()},
       {"milliseconds", static_cast<std::uint64_t>(took / std::chrono::milliseconds(1))}});
  return Ok();
}

Status Node::Impl::OpenMeta() {
  if (!data_->founded()) {
    QUORATE_TRY(Partition::Found(kMetaPartition, *stores_->logs, env_.random));
  }
  Result<std::shared_ptr<Partition>> opened =
      OpenPartition({.id = kMetaPartition, .log_mode = options_.log_mode}, env_, stores_);
  if (!opened) {
    return std::move(opened).error().Wrap("open meta partition");
  }
  meta_ = *std::move(opened);
  meta_replica_ = meta_->replica();
  return data_->MarkFounded();
}

void Node::Impl::OpenRepositories() {
  const auto partitions = [this] {
    std::vector<std::shared_ptr<Partition>> open = repositories_->Open();
    open.push_back(meta_);
    return open;
  };
  maintenance_ =
      std::make_unique<Maintenance>(MaintenanceOptions{.path = options_.data_directory,
                                                       .interval = options_.sync_interval,
                                                       .bytes = options_.sync_bytes},
                                    env_, partitions, [this] { KeepHouse(); });
  repositories_ = std::make_unique<Repositories>(
      RepositoriesOptions{
          .log_mode = options_.log_mode,
          .objects = options_.objects,
          .transactions = options_.transactions,
          .open_max = options_.open_partitions_max,
          .on_appended = [this](std::size_t bytes) { maintenance_->NoteAppended(bytes); }},
      env_, stores_, *data_, *directory_);
}

// Removes what no name leads to. Ids that the directory never handed out are not ours to judge:
// they stay, and the log says so.
Status Node::Impl::DropStrays() {
  std::set<PartitionId> known = {kMetaPartition};
  for (const auto& [name, record] : directory_->List()) {
    known.insert(record.partition);
  }
  std::set<PartitionId> stray;
  for (const PartitionId id : QUORATE_TRY(stores_->logs->Partitions())) {
    stray.insert(id);
  }
  for (const PartitionId id : QUORATE_TRY(data_->PartitionDirectories())) {
    stray.insert(id);
  }
  for (const PartitionId id : stray) {
    if (known.contains(id)) {
      continue;
    }
    if (id >= directory_->next_partition()) {
      env_.logger.Warn("unknown partition left alone", {{"partition", id.value}});
      continue;
    }
    env_.logger.Info("stray partition removed", {{"partition", id.value}});
    QUORATE_TRY(repositories_->DestroyData(id));
  }
  return Ok();
}

void Node::Impl::KeepHouse() {
  repositories_->CloseIdle(env_.clock.Monotonic() - options_.idle_close_after);
  for (const std::shared_ptr<Partition>& partition : repositories_->Open()) {
    partition->UpdateMetrics();
  }
  meta_->UpdateMetrics();
}

// Also what ends an Open() that failed half way.
void Node::Impl::Stop() {
  if (repositories_ != nullptr) {
    maintenance_->SyncNow();  // So that the next start has little to redo.
    repositories_->Stop();
    maintenance_->Stop();
  }
  if (meta_ != nullptr) {
    std::promise<void> stopped;
    meta_->Stop([&] { stopped.set_value(); });
    stopped.get_future().wait();
    meta_.reset();
  }
  // Their parts are destroyed on the storage pool; whoever opens the store anew must find it
  // closed.
  if (stores_ != nullptr && !stores_->census->WaitUntilNone(kHandlesPatience)) {
    env_.logger.Warn("repositories are still held while the node stops");
  }
}

// Groups have no other members yet than the node that founded them.
std::vector<NodeId> Node::Impl::NodesOf(ReplicaId own,
                                        const std::vector<ReplicaId>& replicas) const {
  std::vector<NodeId> nodes;
  nodes.reserve(replicas.size());
  for (const ReplicaId replica : replicas) {
    nodes.push_back(replica == own ? id() : NodeId());
  }
  return nodes;
}

PartitionDescription Node::Impl::DescribeOpen(const Partition& partition) const {
  const WatchedLog::Members members = partition.members();
  const auto status = partition.transactions().status();
  return {.id = partition.id(),
          .leader = members.leader == partition.replica() ? id() : NodeId(),
          .voters = NodesOf(partition.replica(), members.voters),
          .learners = NodesOf(partition.replica(), members.learners),
          .applied = status.applied,
          .fenced = status.fenced};
}

Result<PartitionDescription> Node::Impl::DescribeClosed(PartitionId partition) const {
  const log::StoredLog stored = QUORATE_TRY(stores_->logs->Load(partition));
  const auto conf = QUORATE_TRY(consensus::ConfState::Decode(stored.conf_state));
  const ReplicaId own = stored.identity.replica;
  const txn::Snapshot snapshot = QUORATE_TRY(txn::Snapshot::Take(partition, *stores_->store));
  const bool alone = conf.voters == std::vector<ReplicaId>{own};
  return PartitionDescription{.id = partition,
                              .leader = alone ? id() : NodeId(),  // As soon as it is opened.
                              .voters = NodesOf(own, conf.voters),
                              .learners = NodesOf(own, conf.learners),
                              .applied = snapshot.lsn()};
}

Result<std::vector<PartitionDescription>> Node::Impl::DescribePartitions() const {
  std::map<PartitionId, std::shared_ptr<Partition>> open;
  for (std::shared_ptr<Partition>& partition : repositories_->Open()) {
    open.emplace(partition->id(), partition);
  }
  std::vector<PartitionDescription> all = {DescribeOpen(*meta_)};
  for (const auto& [name, record] : directory_->List()) {
    if (record.state != DirectoryRecord::State::kReady && !open.contains(record.partition)) {
      continue;
    }
    if (const auto found = open.find(record.partition); found != open.end()) {
      all.push_back(DescribeOpen(*found->second));
    } else {
      Result<PartitionDescription> closed = DescribeClosed(record.partition);
      if (!closed && closed.error().code() == Code::kNotFound && !directory_->Find(name)) {
        continue;  // Deleted while we looked.
      }
      const bool readable = closed.has_value();
      all.push_back(readable ? *std::move(closed) : PartitionDescription{.id = record.partition});
      all.back().fenced = !readable || repositories_->IsFenced(name);
    }
    all.back().repositories = {name};
  }
  std::ranges::sort(all, {}, &PartitionDescription::id);
  return all;
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}

Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::Open(NodeOptions options, NodeEnv env) {
  auto impl = std::make_unique<Impl>(std::move(options), env);
  Status opened = impl->Open();
  if (!opened) {
    impl->Stop();
    return std::move(opened).error();
  }
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

NodeId Node::id() const {
  return impl_->id();
}

Status Node::CheckRepositoryName(std::string_view name) {
  return cluster::CheckRepositoryName(name);
}

void Node::FindRepository(std::string name, FindDone done) {
  impl_->repositories().Find(std::move(name), std::move(done));
}

std::shared_ptr<Repository> Node::FindOpenRepository(const std::string& name) {
  return impl_->repositories().FindOpen(name);
}

void Node::CreateRepository(CreateRepositoryOptions options, FindDone done) {
  const auto check = [&]() -> Status {
    QUORATE_TRY(CheckRepositoryName(options.name));
    QUORATE_TRY(CheckDefaultBranch(options.default_branch));
    return CheckWritable();
  };
  Status checked = check();
  if (!checked) {
    impl_->repositories().Refuse(std::move(done), std::move(checked).error());
    return;
  }
  impl_->repositories().Create(std::move(options), std::move(done));
}

void Node::DeleteRepository(std::string name, Callback<Status> done) {
  impl_->repositories().Delete(std::move(name), std::move(done));
}

Result<std::vector<RepositoryDescription>> Node::ListRepositories() const {
  std::vector<RepositoryDescription> list;
  for (auto& [name, record] : impl_->directory().List()) {
    // An acknowledged creation counts at once, though its record may not say so yet.
    if (record.state == DirectoryRecord::State::kReady || impl_->repositories().IsServing(name)) {
      list.push_back({.name = name, .partition = record.partition, .format = record.format});
    }
  }
  return list;
}

Result<std::vector<PartitionDescription>> Node::DescribePartitions() const {
  return impl_->DescribePartitions();
}

Status Node::CheckWritable() const {
  return impl_->guard().Check();
}

std::string Node::views_directory() const {
  return impl_->views();
}

void Node::GiveUp() {
  impl_->repositories().GiveUp();
}

void Node::Stop() {
  impl_->Stop();
}

}  // namespace quorate::cluster
