#include "cluster/repositories.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "cluster/internal/open_repository.h"

namespace quorate::cluster {

using internal::IsInside;
using internal::NoSuch;
using internal::Stopping;
Repositories::Repositories(RepositoriesOptions options, const NodeEnv& env,
                           std::shared_ptr<const NodeStores> stores, DataDirectory& data,
                           Directory& directory)
    : options_(std::move(options)),
      env_(env),
      stores_(std::move(stores)),
      data_(data),
      directory_(directory),
      open_gauge_(env_.metrics.GetGauge("quorate_partitions_open",
                                        "Partitions of repositories that are open here.", {})) {
}

Repositories::~Repositories() {
  QUORATE_CHECK(slots_.empty());
}

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

std::shared_ptr<Repository> Repositories::FindOpen(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  if (stopping_ || found == slots_.end() || found->second.doing != Doing::kServing) {
    return nullptr;
  }
  Result<Handle> handle = Serve(found->second);
  return handle ? *std::move(handle) : nullptr;
}

void Repositories::FindClosed(std::string name, FindDone done) {
  const std::optional<DirectoryRecord> record = directory_.Find(name);
  if (!record || record->state == DirectoryRecord::State::kDeleting) {
    Answer(std::move(done), NoSuch(name));
    return;
  }
  if (!MakeRoom()) {
    Answer(std::move(done),
           Error(Code::kResourceExhausted,
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
      ContinueCreating(std::move(name), record, Creation::kResumed);
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

void Repositories::Wait(Slot& slot, Callback<> retry) {
  slot.retries.push_back(std::move(retry));
}

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
  if (stopping_) {
    return;
  }
  for (auto& [name, slot] : slots_) {
    // Only the table copies a handle that nobody else holds, and it does so under the mutex.
    if (!IsBusy(slot) && slot.open != nullptr && slot.open.use_count() == 1 &&
        slot.last_used <= before) {
      StartClosing(name, slot);
    }
  }
}

void Repositories::StartOpening(std::string name, const DirectoryRecord& record) {
  OpenPartition(
      record, [this, name = std::move(name)](Result<std::shared_ptr<Partition>> opened) mutable {
        if (!opened) {
          // A repository that should be there is not: that is damage, whatever it is called below.
          Error why = std::move(opened).error();
          if (why.code() == Code::kNotFound) {
            why = Error(Code::kCorruption, why.message());
          }
          env_.logger.Fail("repository cannot be opened",
                           {{"repository", name}, {"reason", why.ToString()}});
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
                   .transactions = options_.transactions,
                   .on_appended = options_.on_appended,
                   .give_up = give_up_.get_token()},
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
  open_gauge_.Set(static_cast<double>(
      std::ranges::count_if(slots_, [](const auto& item) { return item.second.open != nullptr; })));
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

void Repositories::Refuse(FindDone done, Error error) {
  Answer(std::move(done), std::move(error));
}

std::vector<std::shared_ptr<Partition>> Repositories::Open() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Partition>> open;
  for (const auto& [name, slot] : slots_) {
    if (slot.doing == Doing::kServing) {
      open.push_back(slot.open->opened());
    }
  }
  return open;
}

bool Repositories::IsServing(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(name);
  return found != slots_.end() && found->second.doing == Doing::kServing;
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

}  // namespace quorate::cluster
