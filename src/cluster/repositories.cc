#include "cluster/repositories.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/check.h"
#include "base/fault_point.h"

namespace quorate::cluster {
namespace {

constexpr RepositoryId kFirstRepository{1};  // Of its partition; forks come later.

Error NoSuch(const std::string& name) {
  return Error(Code::kNotFound, fmt::format("there is no repository {}", name));
}

Error Exists(const std::string& name) {
  return Error(Code::kAlreadyExists, fmt::format("repository {} exists already", name));
}

Error BeingDeleted(const std::string& name) {
  return Error(Code::kAlreadyExists, fmt::format("repository {} is still being deleted", name));
}

Error Stopping() { return Error(Code::kUnavailable, "the node is stopping"); }

// Whether the repository was made inside its partition.
Result<bool> IsInside(Partition& partition) {
  const txn::Snapshot snapshot = QUORATE_TRY(partition.transactions().LocalSnapshot());
  const auto info = QUORATE_TRY(snapshot.FindRepository(kFirstRepository));
  return info.has_value();
}

}  // namespace

class Repositories::OpenRepository final : public Repository {
 public:
  OpenRepository(std::string name, std::shared_ptr<Partition> partition)
      : name_(std::move(name)), partition_(std::move(partition)) {}

  const std::string& name() const override { return name_; }
  PartitionId partition() const override { return partition_->id(); }
  RepositoryId id() const override { return kFirstRepository; }
  git::ObjectFormat format() const override { return partition_->format(); }
  txn::TransactionManager& transactions() override { return partition_->transactions(); }
  git::ObjectStore& objects() override { return partition_->objects(); }

  const std::shared_ptr<Partition>& opened() const { return partition_; }

 private:
  const std::string name_;
  const std::shared_ptr<Partition> partition_;
};

Repositories::Repositories(RepositoriesOptions options, const NodeEnv& env,
                           std::shared_ptr<const NodeStores> stores, DataDirectory& data,
                           Directory& directory)
    : options_(std::move(options)),
      env_(env),
      stores_(std::move(stores)),
      data_(data),
      directory_(directory),
      open_gauge_(env_.metrics.GetGauge("quorate_partitions_open",
                                        "Partitions of repositories that are open here.", {})) {}

Repositories::~Repositories() { QUORATE_CHECK(slots_.empty()); }

// --- finding and closing: repositories.cc; creating and deleting: repositories_lifecycle.cc -------

void Repositories::Find(std::string name, FindDone done) {
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    Answer(std::move(done), Stopping());
    return;
  }
  const auto found = slots_.find(name);
  if (found == slots_.end()) {
    FindClosed(std::move(name), std::move(done));
    return;
  }
  Slot& slot = found->second;
  switch (slot.doing) {
    case Doing::kServing:
      Answer(std::move(done), Serve(slot));
      break;
    case Doing::kOpening:
    case Doing::kCreating:
      Join(slot, std::move(done));
      break;
    case Doing::kClosing:
      if (slot.retries.size() >= options_.waiters_max) {
        Answer(std::move(done), Error(Code::kResourceExhausted, "too many wait for " + name));
        break;
      }
      Wait(slot, [this, name, done = std::move(done)]() mutable {
        Find(std::move(name), std::move(done));
      });
      break;
    case Doing::kFenced:
      Answer(std::move(done), *slot.fenced);
      break;
    case Doing::kDeleting:
      Answer(std::move(done), NoSuch(name));
      break;
  }
}

void Repositories::FindClosed(std::string name, FindDone done) {
  const std::optional<DirectoryRecord> record = directory_.Find(name);
  if (!record || record->state == DirectoryRecord::State::kDeleting) {
    Answer(std::move(done), NoSuch(name));
    return;
  }
  if (!MakeRoom()) {
    Answer(std::move(done), Error(Code::kResourceExhausted,
                                  fmt::format("{} repositories are open and in use", slots_.size())));
    return;
  }
  const bool created = record->state == DirectoryRecord::State::kReady;
  Slot slot{.doing = created ? Doing::kOpening : Doing::kCreating};
  slot.finds.push_back(std::move(done));
  slots_.emplace(name, std::move(slot));
  env_.storage.Post([this, name = std::move(name), record = *record, created]() mutable {
    if (created) {
      StartOpening(std::move(name), record);
    } else {
      ContinueCreating(std::move(name), record);
    }
  });
}

Result<Repositories::Handle> Repositories::Serve(Slot& slot) {
  if (slot.open->transactions().status().fenced) {
    return Error(Code::kCorruption,
                 fmt::format("the replica of {} is fenced; the log says why", slot.open->name()));
  }
  slot.last_used = env_.clock.Monotonic();
  return slot.open;
}

void Repositories::Join(Slot& slot, FindDone done) {
  if (slot.finds.size() >= options_.waiters_max) {
    Answer(std::move(done), Error(Code::kResourceExhausted, "too many wait for this repository"));
    return;
  }
  slot.finds.push_back(std::move(done));
}

void Repositories::Wait(Slot& slot, Callback<> retry) { slot.retries.push_back(std::move(retry)); }

// Busy: somebody will call Settle() or Forget(), or MarkedReady().
bool Repositories::IsBusy(const Slot& slot) {
  return slot.marking_ready || (slot.doing != Doing::kServing && slot.doing != Doing::kFenced);
}

bool Repositories::MakeRoom() {
  if (slots_.size() < options_.open_max) {
    return true;
  }
  auto oldest = slots_.end();
  for (auto it = slots_.begin(); it != slots_.end(); ++it) {
    const Slot& slot = it->second;
    const bool unused = !IsBusy(slot) && slot.open != nullptr && slot.open.use_count() == 1;
    if (unused && (oldest == slots_.end() || slot.last_used < oldest->second.last_used)) {
      oldest = it;
    }
  }
  if (oldest == slots_.end()) {
    return false;
  }
  StartClosing(oldest->first, oldest->second);
  return true;
}

void Repositories::StartClosing(const std::string& name, Slot& slot) {
  slot.doing = Doing::kClosing;
  const std::shared_ptr<Partition> partition = slot.open->opened();
  slot.open.reset();
  UpdateGauge();
  partition->Stop([this, name, partition] { Forget(name); });
}

void Repositories::CloseIdle(std::chrono::nanoseconds before) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, slot] : slots_) {
    // Only the table copies a handle that nobody else holds, and it does so under the mutex.
    if (!IsBusy(slot) && slot.open != nullptr && slot.open.use_count() == 1 &&
        slot.last_used <= before) {
      StartClosing(name, slot);
    }
  }
}

void Repositories::StartOpening(std::string name, const DirectoryRecord& record) {
  OpenPartition(record, [this, name = std::move(name)](
                            Result<std::shared_ptr<Partition>> opened) mutable {
    if (!opened) {
      // A repository that should be there is not: that is damage, whatever it is called below.
      Error why = std::move(opened).error();
      if (why.code() == Code::kNotFound) {
        why = Error(Code::kCorruption, why.message());
      }
      env_.logger.Fail("repository cannot be opened", {{"repository", name},
                                                       {"reason", why.ToString()}});
      Settle(name, std::move(why));
      return;
    }
    const std::shared_ptr<Partition> partition = *std::move(opened);
    const Result<bool> inside = IsInside(*partition);
    if (inside && *inside) {
      Settle(name, std::make_shared<OpenRepository>(name, partition));
      return;
    }
    Error why = inside ? Error(Code::kCorruption, fmt::format("partition {} has no repository",
                                                              partition->id().value))
                       : inside.error();
    partition->Stop([this, name, partition, why = std::move(why)]() mutable {
      Settle(name, std::move(why));
    });
  });
}

void Repositories::OpenPartition(const DirectoryRecord& record, Partition::OpenDone done) {
  Partition::Open({.id = record.partition,
                   .log_mode = options_.log_mode,
                   .root = data_.partition(record.partition),
                   .format = record.format,
                   .objects = options_.objects,
                   .on_appended = options_.on_appended},
                  env_, stores_, std::move(done));
}

// Opening or creating is through.
void Repositories::Settle(const std::string& name, Result<Handle> outcome, bool marking_ready) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  QUORATE_CHECK(found != slots_.end());
  Slot& slot = found->second;
  QUORATE_CHECK(slot.doing == Doing::kOpening || slot.doing == Doing::kCreating);
  if (outcome) {
    slot.doing = Doing::kServing;
    slot.open = *outcome;
    slot.marking_ready = marking_ready;
    slot.last_used = env_.clock.Monotonic();
    Release(slot, outcome);
  } else if (slot.doing == Doing::kOpening && outcome.error().code() == Code::kCorruption) {
    slot.doing = Doing::kFenced;
    slot.fenced = outcome.error();
    Release(slot, outcome);
  } else {
    Release(slot, outcome);
    slots_.erase(found);
  }
  UpdateGauge();
}

// Closing or deleting is through.
void Repositories::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  QUORATE_CHECK(found != slots_.end());
  Release(found->second, NoSuch(name));
  slots_.erase(found);
  UpdateGauge();
}

// Everything is posted before Stop() can see that the slot is not busy any more.
void Repositories::Release(Slot& slot, const Result<Handle>& outcome) {
  for (FindDone& done : std::exchange(slot.finds, {})) {
    Answer(std::move(done), outcome);
  }
  for (Callback<>& retry : std::exchange(slot.retries, {})) {
    ++retries_posted_;
    env_.core.Post([this, retry = std::move(retry)]() mutable {
      std::move(retry)();
      const std::lock_guard lock(mutex_);
      --retries_posted_;
      idle_.notify_all();
    });
  }
  idle_.notify_all();
}

void Repositories::UpdateGauge() {
  open_gauge_.Set(static_cast<double>(std::ranges::count_if(
      slots_, [](const auto& item) { return item.second.open != nullptr; })));
}

void Repositories::Answer(FindDone done, Result<Handle> result) {
  env_.core.Post([done = std::move(done), result = std::move(result)]() mutable {
    if (!result) {
      std::move(done)(std::move(result).error());
      return;
    }
    std::move(done)(std::shared_ptr<Repository>(*std::move(result)));
  });
}

void Repositories::Answer(Callback<Status> done, Status status) {
  env_.core.Post([done = std::move(done), status = std::move(status)]() mutable {
    std::move(done)(std::move(status));
  });
}

std::vector<std::shared_ptr<Partition>> Repositories::Open() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Partition>> open;
  for (const auto& [name, slot] : slots_) {
    if (slot.open != nullptr) {
      open.push_back(slot.open->opened());
    }
  }
  return open;
}

bool Repositories::IsFenced(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  return found != slots_.end() && found->second.doing == Doing::kFenced;
}

void Repositories::Stop() {
  std::unique_lock lock(mutex_);
  QUORATE_CHECK(!stopping_);
  stopping_ = true;
  const auto settled = [this] {
    return retries_posted_ == 0 &&
           std::ranges::none_of(slots_, [](const auto& item) { return IsBusy(item.second); });
  };
  idle_.wait(lock, settled);
  for (auto& [name, slot] : slots_) {
    if (slot.open != nullptr) {
      StartClosing(name, slot);
    }
  }
  idle_.wait(lock, settled);
  slots_.clear();  // What is fenced.
}

// --- creating ------------------------------------------------------------------------------------

void Repositories::Create(CreateRepositoryOptions options, FindDone done) {
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    Answer(std::move(done), Stopping());
    return;
  }
  std::string name = options.name;
  if (const auto found = slots_.find(name); found != slots_.end()) {
    Slot& slot = found->second;
    if (slot.doing == Doing::kCreating && slot.retries.size() < options_.waiters_max) {
      Wait(slot, [this, options = std::move(options), done = std::move(done)]() mutable {
        Create(std::move(options), std::move(done));
      });
      return;
    }
    Answer(std::move(done), slot.doing == Doing::kDeleting ? BeingDeleted(name) : Exists(name));
    return;
  }
  if (const std::optional<DirectoryRecord> record = directory_.Find(name)) {
    const bool deleting = record->state == DirectoryRecord::State::kDeleting;
    Answer(std::move(done), deleting ? BeingDeleted(name) : Exists(name));
    return;
  }
  if (!MakeRoom()) {
    Answer(std::move(done), Error(Code::kResourceExhausted,
                                  fmt::format("{} repositories are open and in use", slots_.size())));
    return;
  }
  Slot slot{.doing = Doing::kCreating};
  slot.finds.push_back(std::move(done));
  slots_.emplace(name, std::move(slot));
  DirectoryRecord record{.state = DirectoryRecord::State::kCreating,
                         .format = options.format,
                         .default_branch = std::move(options.default_branch)};
  directory_.Add(name, std::move(record), [this, name](Result<DirectoryRecord> added) mutable {
    if (!added) {
      Settle(name, std::move(added).error());
      return;
    }
    QUORATE_FAULT("cluster.create_after_meta");
    env_.storage.Post([this, name = std::move(name), record = *std::move(added)]() mutable {
      ContinueCreating(std::move(name), record);
    });
  });
}

// Also where a creation goes on that a crash or an error cut off: every step may have been made.
void Repositories::ContinueCreating(std::string name, const DirectoryRecord& record) {
  Status founded = Partition::Found(record.partition, *stores_->logs, env_.random);
  if (!founded) {
    UndoCreating(std::move(name), nullptr, std::move(founded).error());
    return;
  }
  QUORATE_FAULT("cluster.create_after_bootstrap");
  OpenPartition(record, [this, name = std::move(name),
                         record](Result<std::shared_ptr<Partition>> opened) mutable {
    if (!opened) {
      UndoCreating(std::move(name), nullptr, std::move(opened).error());
      return;
    }
    CreateInside(std::move(name), record, *std::move(opened));
  });
}

void Repositories::CreateInside(std::string name, const DirectoryRecord& record,
                                std::shared_ptr<Partition> partition) {
  const auto stage = [&]() -> Result<txn::Transaction> {
    txn::Transaction transaction =
        QUORATE_TRY(partition->transactions().Begin({.actor = "quorate"}));
    QUORATE_TRY(transaction.StageRepositoryCreate(kFirstRepository, record.format,
                                                  record.default_branch));
    return transaction;
  };

  const Result<bool> inside = IsInside(*partition);
  if (inside && *inside) {
    FinishCreating(std::move(name), std::move(partition));
    return;
  }
  Result<txn::Transaction> staged = inside ? stage() : inside.error();
  if (!staged) {
    UndoCreating(std::move(name), std::move(partition), std::move(staged).error());
    return;
  }
  txn::TransactionManager& transactions = partition->transactions();
  transactions.Commit(*std::move(staged),
                      [this, name = std::move(name), partition = std::move(partition)](
                          Result<txn::CommitOutcome> outcome) mutable {
                        if (!outcome) {
                          UndoCreating(std::move(name), std::move(partition),
                                       std::move(outcome).error());
                          return;
                        }
                        AwaitApply(std::move(name), std::move(partition));
                      });
}

// Usable means that a transaction begun now sees the repository.
void Repositories::AwaitApply(std::string name, std::shared_ptr<Partition> partition) {
  txn::TransactionManager& transactions = partition->transactions();
  transactions.ReadSnapshot([this, name = std::move(name), partition = std::move(partition)](
                                Result<txn::Snapshot> snapshot) mutable {
    if (!snapshot) {
      UndoCreating(std::move(name), std::move(partition), std::move(snapshot).error());
      return;
    }
    FinishCreating(std::move(name), std::move(partition));
  });
}

// The creator need not wait until the record says "ready": after a crash the next start finds a
// finished repository behind a record that says "creating", and corrects it.
void Repositories::FinishCreating(std::string name, std::shared_ptr<Partition> partition) {
  env_.logger.Info("repository created", {{"repository", name},
                                          {"partition", partition->id().value},
                                          {"lsn", partition->transactions().status().applied.value}});
  auto open = std::make_shared<OpenRepository>(name, std::move(partition));
  Settle(name, std::move(open), /*marking_ready=*/true);
  directory_.SetState(name, DirectoryRecord::State::kReady,
                      [this, name](Status marked) { MarkedReady(name, marked); });
}

void Repositories::MarkedReady(const std::string& name, const Status& marked) {
  if (!marked) {
    env_.logger.Warn("repository not marked as ready",
                     {{"repository", name}, {"reason", marked.error().ToString()}});
  }
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  QUORATE_CHECK(found != slots_.end());
  found->second.marking_ready = false;
  Release(found->second, Result<Handle>(found->second.open));
}

void Repositories::UndoCreating(std::string name, std::shared_ptr<Partition> partition, Error why) {
  env_.logger.Warn("repository not created", {{"repository", name}, {"reason", why.ToString()}});
  StartDeleting(name, std::move(partition),
                [this, name, why = std::move(why)](Status undone) mutable {
                  if (!undone) {
                    env_.logger.Fail("unfinished repository left behind",
                                     {{"repository", name}, {"reason", undone.error().ToString()}});
                  }
                  Settle(name, std::move(why));
                });
}

// --- deleting ------------------------------------------------------------------------------------

void Repositories::Delete(std::string name, Callback<Status> done) {
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    Answer(std::move(done), Stopping());
    return;
  }
  std::shared_ptr<Partition> partition;
  if (const auto found = slots_.find(name); found != slots_.end()) {
    Slot& slot = found->second;
    if (slot.doing == Doing::kDeleting) {
      Answer(std::move(done), NoSuch(name));
      return;
    }
    if (IsBusy(slot)) {
      if (slot.retries.size() >= options_.waiters_max) {
        Answer(std::move(done), Error(Code::kResourceExhausted, "too many wait for " + name));
        return;
      }
      Wait(slot, [this, name, done = std::move(done)]() mutable {
        Delete(std::move(name), std::move(done));
      });
      return;
    }
    slot.doing = Doing::kDeleting;
    if (slot.open != nullptr) {
      partition = slot.open->opened();
    }
  } else if (directory_.Find(name)) {
    slots_.emplace(name, Slot{.doing = Doing::kDeleting});
  } else {
    Answer(std::move(done), NoSuch(name));
    return;
  }
  StartDeleting(name, std::move(partition),
                [this, name, done = std::move(done)](Status status) mutable {
                  Deleted(name, std::move(done), std::move(status));
                });
}

void Repositories::StartDeleting(std::string name, std::shared_ptr<Partition> partition,
                                 Callback<Status> done) {
  const std::optional<DirectoryRecord> record = directory_.Find(name);
  QUORATE_CHECK(record.has_value());
  if (record->state == DirectoryRecord::State::kDeleting) {
    FinishDeleting(std::move(name), record->partition, std::move(partition), std::move(done));
    return;
  }
  directory_.SetState(name, DirectoryRecord::State::kDeleting,
                      [this, name, id = record->partition, partition = std::move(partition),
                       done = std::move(done)](Status marked) mutable {
                        if (!marked) {
                          std::move(done)(std::move(marked));
                          return;
                        }
                        QUORATE_FAULT("cluster.delete_after_mark");
                        FinishDeleting(std::move(name), id, std::move(partition), std::move(done));
                      });
}

void Repositories::FinishDeleting(std::string name, PartitionId id,
                                  std::shared_ptr<Partition> partition, Callback<Status> done) {
  auto destroy = [this, name = std::move(name), id, done = std::move(done)]() mutable {
    Status destroyed = DestroyData(id);
    if (!destroyed) {
      std::move(done)(std::move(destroyed));
      return;
    }
    directory_.Remove(std::move(name), std::move(done));
  };
  if (partition == nullptr) {
    env_.storage.Post(std::move(destroy));
    return;
  }
  Partition& stopping = *partition;
  stopping.Stop([partition = std::move(partition), destroy = std::move(destroy)]() mutable {
    destroy();
  });
}

// Blocks. Idempotent.
Status Repositories::DestroyData(PartitionId id) {
  QUORATE_TRY(stores_->logs->Destroy(id));
  QUORATE_FAULT("cluster.delete_after_destroy");
  return data_.RemovePartition(id);
}

void Repositories::Deleted(const std::string& name, Callback<Status> done, Status status) {
  if (status) {
    env_.logger.Info("repository deleted", {{"repository", name}});
  } else {
    env_.logger.Fail("repository not deleted",
                     {{"repository", name}, {"reason", status.error().ToString()}});
  }
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  QUORATE_CHECK(found != slots_.end());
  Slot& slot = found->second;
  const std::optional<DirectoryRecord> record = directory_.Find(name);
  const bool untouched = record && record->state != DirectoryRecord::State::kDeleting;
  Answer(std::move(done), std::move(status));
  Handle open = slot.open;
  if (untouched && open != nullptr) {  // Not even marked: it serves on.
    slot.doing = Doing::kServing;
    Release(slot, open);
    return;
  }
  Release(slot, NoSuch(name));
  slots_.erase(found);
  UpdateGauge();
}

Status Repositories::Recover() {
  std::vector<std::future<void>> finished;
  for (const auto& [name, record] : directory_.List()) {
    auto done = std::make_unique<std::promise<void>>();
    if (record.state == DirectoryRecord::State::kReady) {
      continue;
    }
    env_.logger.Info("finishing what was cut off",
                     {{"repository", name},
                      {"partition", record.partition.value},
                      {"was", record.state == DirectoryRecord::State::kCreating ? "creating"
                                                                                : "deleting"}});
    finished.push_back(done->get_future());
    if (record.state == DirectoryRecord::State::kCreating) {
      Find(name, [done = std::move(done)](auto) { done->set_value(); });
    } else {
      Delete(name, [done = std::move(done)](Status) { done->set_value(); });
    }
  }
  for (std::future<void>& one : finished) {
    one.wait();
  }
  return Ok();
}

}  // namespace quorate::cluster
