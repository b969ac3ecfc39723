// The one place from which logs are written: gathers what all partitions ask for into batches.
//
// Enqueue() may be called from any thread. One task at a time on the writer's strand takes what
// waits, writes it with one sync, and posts the completions. While it is in the store, the next
// batch gathers.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "env/metrics.h"
#include "kv/store.h"
#include "log/internal/log_reader.h"
#include "log/log_store.h"

namespace quorate::log {

class LogStore::Writer : public std::enable_shared_from_this<LogStore::Writer> {
 public:
  // What one call asks for, already encoded. The steps take effect in the order of the fields.
  struct Item {
    PartitionId partition;
    std::optional<Position> reset{};               // Drop all entries; the log is empty here.
    std::optional<Position> truncate{};            // Drop the entries up to here.
    std::optional<std::pair<Lsn, Lsn>> entries{};  // First and last of those in `changes`.
    kv::WriteBatch changes{};
    bool sync = false;
    env::Strand* strand = nullptr;  // Null: nobody waits.
    Callback<> done{};
  };

  Writer(kv::Store& store, std::unique_ptr<env::Strand> strand, LogStoreOptions options,
         env::Logger& logger, env::Metrics& metrics);

  void Enqueue(Item item);

  // Writes past the queue, synced, and forgets what it knew of the partition; with `drop_queued`
  // also what waits of it. Blocks.
  Status WriteNow(PartitionId partition, kv::WriteBatch batch, bool drop_queued);

  // Waits for the write that is running; none follows.
  void Close();

  Totals totals() const;

 private:
  void PostDrain();
  void Drain();
  std::vector<Item> Gather();
  Status WriteItems(std::vector<Item>& items);
  Status AddItem(Item& item, kv::WriteBatch& batch);
  static void AddEntries(Item& item, internal::Tail& tail, kv::WriteBatch& batch);
  Result<internal::Tail*> FindTail(PartitionId partition);
  Status WriteToStore(kv::WriteBatch batch, bool sync);
  void Fail(const Error& error);

  kv::Store& store_;
  const std::unique_ptr<env::Strand> strand_;
  const LogStoreOptions options_;
  env::Logger& logger_;
  env::Counter& syncs_total_;
  env::Counter& bytes_total_;
  env::Histogram& batch_requests_;

  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> requests_{0};

  // Held from the choice of a batch until it is in the store. Before mutex_.
  std::mutex write_mutex_;
  absl::flat_hash_map<PartitionId, internal::Tail> tails_;  // Under write_mutex_.
  std::atomic<bool> stopped_{false};  // Closed or failed. Set under write_mutex_.

  std::mutex mutex_;
  std::deque<Item> queue_;     // Under mutex_.
  bool drain_posted_ = false;  // Under mutex_.
};

}  // namespace quorate::log
