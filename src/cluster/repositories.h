// Repositories: which repositories are open, and the operations that open, create, delete and close
// them.
//
// A name does one thing at a time. Who comes while it is being opened or created waits for that;
// its slot keeps the queue. Callbacks run on the core pool.
//
//   (no slot) ──Find──► opening ──► serving ──idle──► closing ──► (no slot)
//             ─Create─► creating ─► serving           (or fenced, from opening, until deleted)
//             ─Delete─► deleting ─► (no slot)
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "cluster/data_directory.h"
#include "cluster/directory.h"
#include "cluster/node.h"
#include "cluster/node_env.h"
#include "cluster/partition.h"
#include "env/strand.h"

namespace quorate::cluster {

struct RepositoriesOptions {
  LogMode log_mode = LogMode::kRaft;
  git::ObjectStoreOptions objects{};
  txn::TransactionManagerOptions transactions{};
  std::size_t open_max = 4096;
  std::size_t waiters_max = 10'000;  // For one name; beyond, kResourceExhausted.
  std::function<void(std::size_t)> on_appended{};
};

// Safe from any thread.
class Repositories {
 public:
  using FindDone = Node::FindDone;

  // All outlive it.
  Repositories(RepositoriesOptions options, const NodeEnv& env,
               std::shared_ptr<const NodeStores> stores, DataDirectory& data, Directory& directory);
  ~Repositories();

  Repositories(const Repositories&) = delete;
  Repositories& operator=(const Repositories&) = delete;

  void Find(std::string name, FindDone done);
  // Null unless it is open and serves.
  std::shared_ptr<Repository> FindOpen(const std::string& name);
  // REQUIRES: name and branch were checked.
  void Create(CreateRepositoryOptions options, FindDone done);
  void Delete(std::string name, Callback<Status> done);

  // Finishes what a crash cut off, before anything else is called. Blocks.
  Status Recover();

  // Partitions of repositories that are open and serve.
  std::vector<std::shared_ptr<Partition>> Open() const;
  bool IsServing(const std::string& name) const;
  // It could not be opened, because of damage.
  bool IsFenced(const std::string& name) const;

  // Answers as if the call had been made and refused.
  void Refuse(FindDone done, Error error);

  // Removes all that a partition has on disk. Idempotent. Blocks.
  Status DestroyData(PartitionId id);

  // Closes what nobody holds and nobody asked for since `before` (of Clock::Monotonic()).
  void CloseIdle(std::chrono::nanoseconds before);

  // Before Stop(), and not instead: as PartitionOptions::give_up, for all that are open or will be.
  void GiveUp() { give_up_.request_stop(); }

  // Refuses new work, lets what is under way end, closes everything. Blocks. Once.
  void Stop();

 private:
  class OpenRepository;
  using Handle = std::shared_ptr<OpenRepository>;

  enum class Doing { kOpening, kCreating, kServing, kFenced, kClosing, kDeleting };
  struct Slot {
    Doing doing;
    Handle open{};                          // While serving.
    std::optional<Error> fenced{};          // Why.
    bool marking_ready = false;             // Serving, and its record is about to say so.
    std::chrono::nanoseconds last_used{0};  // While serving.
    std::vector<FindDone> finds{};          // Want what is being opened or created.
    std::vector<Callback<>> retries{};      // Ask again when this is through.
  };
  using Slots = std::unordered_map<std::string, Slot>;

  static bool IsBusy(const Slot& slot);

  // With mutex_ held.
  void FindClosed(std::string name, FindDone done);
  Result<Handle> Serve(Slot& slot);
  void Join(Slot& slot, FindDone done);
  void Wait(Slot& slot, Callback<> retry);
  bool MakeRoom();
  void StartClosing(const std::string& name, Slot& slot);
  void Release(Slot& slot, const Result<Handle>& outcome);
  void UpdateGauge();

  // Called with or without it; never runs `done` inline.
  void Answer(FindDone done, Result<Handle> result);
  void Answer(Callback<Status> done, Status status);

  // Steps of operations; each ends in the next, or in Settle() or Forget(). Without mutex_.
  void StartOpening(std::string name, const DirectoryRecord& record);
  enum class Creation : std::uint8_t { kNew, kResumed };
  void ContinueCreating(std::string name, const DirectoryRecord& record, Creation creation);
  void CreateInside(std::string name, const DirectoryRecord& record,
                    std::shared_ptr<Partition> partition, Creation creation);
  void AwaitApply(std::string name, std::shared_ptr<Partition> partition, Creation creation);
  void FinishCreating(std::string name, std::shared_ptr<Partition> partition);
  void FailCreating(std::string name, std::shared_ptr<Partition> partition, Error why,
                    Creation creation);
  void StartDeleting(std::string name, std::shared_ptr<Partition> partition, Callback<Status> done);
  void FinishDeleting(std::string name, PartitionId id, std::shared_ptr<Partition> partition,
                      Callback<Status> done);
  void OpenPartition(const DirectoryRecord& record, Partition::OpenDone done);

  void Settle(const std::string& name, Result<Handle> outcome, bool marking_ready = false);
  void MarkedReady(const std::string& name, const Status& marked);
  void Deleted(const std::string& name, Callback<Status> done, Status status);
  void Forget(const std::string& name);

  std::stop_source give_up_;
  const RepositoriesOptions options_;
  const NodeEnv env_;
  const std::shared_ptr<const NodeStores> stores_;
  DataDirectory& data_;
  Directory& directory_;
  env::Gauge& open_gauge_;

  mutable std::mutex mutex_;  // Guards what follows. The directory's is taken after it.
  std::condition_variable idle_;
  Slots slots_;
  int retries_posted_ = 0;  // On their way through the core pool.
  bool stopping_ = false;
};

}  // namespace quorate::cluster
