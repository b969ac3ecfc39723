// Creating and deleting repositories, and finishing after a crash what was begun.

#include <fmt/format.h>

#include <future>
#include <utility>

#include "base/check.h"
#include "base/fault_point.h"
#include "cluster/internal/open_repository.h"
#include "cluster/repositories.h"

namespace quorate::cluster {

using internal::BeingDeleted;
using internal::Exists;
using internal::IsInside;
using internal::kFirstRepository;
using internal::NoSuch;
using internal::Stopping;

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
    Answer(std::move(done),
           Error(Code::kResourceExhausted,
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
      ContinueCreating(std::move(name), record, Creation::kNew);
    });
  });
}

// Also where a creation goes on that a crash or an error cut off: every step may have been made.
void Repositories::ContinueCreating(std::string name, const DirectoryRecord& record,
                                    Creation creation) {
  Status founded = Partition::Found(record.partition, *stores_->logs, env_.random);
  if (!founded) {
    FailCreating(std::move(name), nullptr, std::move(founded).error(), creation);
    return;
  }
  QUORATE_FAULT("cluster.create_after_bootstrap");
  OpenPartition(record, [this, name = std::move(name), record,
                         creation](Result<std::shared_ptr<Partition>> opened) mutable {
    if (!opened) {
      FailCreating(std::move(name), nullptr, std::move(opened).error(), creation);
      return;
    }
    CreateInside(std::move(name), record, *std::move(opened), creation);
  });
}

void Repositories::CreateInside(std::string name, const DirectoryRecord& record,
                                std::shared_ptr<Partition> partition, Creation creation) {
  const auto stage = [&]() -> Result<txn::Transaction> {
    txn::TransactionOptions options;
    options.actor = "quorate";
    txn::Transaction transaction = QUORATE_TRY(partition->transactions().Begin(std::move(options)));
    QUORATE_TRY(
        transaction.StageRepositoryCreate(kFirstRepository, record.format, record.default_branch));
    return transaction;
  };

  const Result<bool> inside = IsInside(*partition);
  if (inside && *inside) {
    FinishCreating(std::move(name), std::move(partition));
    return;
  }
  Result<txn::Transaction> staged = inside ? stage() : inside.error();
  if (!staged) {
    FailCreating(std::move(name), std::move(partition), std::move(staged).error(), creation);
    return;
  }
  txn::TransactionManager& transactions = partition->transactions();
  transactions.Commit(
      *std::move(staged), [this, name = std::move(name), partition = std::move(partition),
                           creation](Result<txn::CommitOutcome> outcome) mutable {
        if (!outcome) {
          FailCreating(std::move(name), std::move(partition), std::move(outcome).error(), creation);
          return;
        }
        AwaitApply(std::move(name), std::move(partition), creation);
      });
}

// Usable means that a transaction begun now sees the repository.
void Repositories::AwaitApply(std::string name, std::shared_ptr<Partition> partition,
                              Creation creation) {
  txn::TransactionManager& transactions = partition->transactions();
  transactions.ReadSnapshot([this, name = std::move(name), partition = std::move(partition),
                             creation](Result<txn::Snapshot> snapshot) mutable {
    if (!snapshot) {
      FailCreating(std::move(name), std::move(partition), std::move(snapshot).error(), creation);
      return;
    }
    FinishCreating(std::move(name), std::move(partition));
  });
}

// The creator need not wait until the record says "ready": after a crash the next start finds a
// finished repository behind a record that says "creating", and corrects it.
void Repositories::FinishCreating(std::string name, std::shared_ptr<Partition> partition) {
  env_.logger.Info("repository created",
                   {{"repository", name},
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

// A new one is undone. One that an earlier run began may be finished, and hold what was pushed
// since, behind a record that never came to say so: it is left as it is, for the next who asks.
void Repositories::FailCreating(std::string name, std::shared_ptr<Partition> partition, Error why,
                                Creation creation) {
  env_.logger.Warn("repository not created", {{"repository", name}, {"reason", why.ToString()}});
  if (creation == Creation::kNew) {
    StartDeleting(
        name, std::move(partition), [this, name, why = std::move(why)](Status undone) mutable {
          if (!undone) {
            env_.logger.Fail("unfinished repository left behind",
                             {{"repository", name}, {"reason", undone.error().ToString()}});
          }
          Settle(name, std::move(why));
        });
  } else if (partition == nullptr) {
    Settle(name, std::move(why));
  } else {
    partition->Stop([this, name = std::move(name), partition, why = std::move(why)]() mutable {
      Settle(name, std::move(why));
    });
  }
}

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
  stopping.Stop(
      [partition = std::move(partition), destroy = std::move(destroy)]() mutable { destroy(); });
}

// Blocks. Idempotent.
Status Repositories::DestroyData(PartitionId id) {
  Status destroyed = stores_->logs->Destroy(id);
  if (!destroyed && destroyed.error().code() != Code::kNotFound) {  // Never founded.
    return destroyed;
  }
  kv::WriteBatch state;
  txn::EraseState(id, state);
  QUORATE_TRY(stores_->store->Write(std::move(state), {}));
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
    env_.logger.Info(
        "finishing what was cut off",
        {{"repository", name},
         {"partition", record.partition.value},
         {"was", record.state == DirectoryRecord::State::kCreating ? "creating" : "deleting"}});
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
