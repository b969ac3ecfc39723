#include "log/internal/log_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/fault_point.h"
#include "log/internal/records.h"

namespace quorate::log {

namespace {

using internal::EntryKey;
using internal::EntryKeyEnd;
using kv::Family;

const std::vector<double>& RequestBounds() {
  static const std::vector<double> bounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
  return bounds;
}

void PutTruncated(PartitionId partition, Position truncated, kv::WriteBatch& batch) {
  std::string key = internal::RecordKey(partition, internal::RecordKind::kTruncated);
  std::string value = internal::EncodeTruncated(key, truncated);
  batch.Put(Family::kRaft, std::move(key), std::move(value));
}

}  // namespace

LogStore::Writer::Writer(kv::Store& store, std::unique_ptr<env::Strand> strand,
                         LogStoreOptions options, env::Logger& logger, env::Metrics& metrics)
    : store_(store),
      strand_(std::move(strand)),
      options_(std::move(options)),
      logger_(logger),
      syncs_total_(metrics.GetCounter("quorate_log_syncs_total", "Synced writes of the log.", {})),
      bytes_total_(metrics.GetCounter("quorate_log_written_bytes_total",
                                      "Keys and values written to the log.", {})),
      batch_requests_(metrics.GetHistogram("quorate_log_batch_requests",
                                           "Requests that shared one write of the log.", {},
                                           RequestBounds())) {
}

void LogStore::Writer::Enqueue(Item item) {
  if (stopped_) {
    return;  // The process is ending, or nobody listens any more.
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(item));
    if (std::exchange(drain_posted_, true)) {
      return;
    }
  }
  PostDrain();
}

void LogStore::Writer::PostDrain() {
  strand_->Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->Drain();
    }
  });
}

void LogStore::Writer::Drain() {
  std::vector<Item> items;
  Status written;
  {
    const std::lock_guard write_lock(write_mutex_);
    if (stopped_) {
      return;
    }
    items = Gather();
    written = WriteItems(items);
    stopped_ = !written.has_value();
  }
  if (!written) {
    Fail(written.error());
    return;
  }
  for (Item& item : items) {
    if (item.strand != nullptr) {
      item.strand->Post(std::move(item.done));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    drain_posted_ = !queue_.empty();
    if (!drain_posted_) {
      return;
    }
  }
  PostDrain();
}

std::vector<LogStore::Writer::Item> LogStore::Writer::Gather() {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < queue_.size() && (count == 0 || bytes < options_.batch_bytes_max)) {
    bytes += queue_[count].changes.bytes();
    ++count;
  }
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Item> items(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return items;
}

Status LogStore::Writer::WriteItems(std::vector<Item>& items) {
  kv::WriteBatch batch;
  bool sync = false;
  for (Item& item : items) {
    QUORATE_TRY(AddItem(item, batch));
    sync = sync || item.sync;
  }
  if (batch.empty() && !sync) {
    return Ok();
  }
  requests_ += items.size();
  batch_requests_.Observe(static_cast<double>(items.size()));
  return WriteToStore(std::move(batch), sync);
}

Status LogStore::Writer::AddItem(Item& item, kv::WriteBatch& batch) {
  internal::Tail* const tail = QUORATE_TRY(FindTail(item.partition));
  if (tail == nullptr) {
    // Asked for after Destroy(): there is nothing to add to, and nobody to tell.
    logger_.Warn("log request for a partition that is not here",
                 {{"partition", item.partition.value}});
    item.strand = nullptr;
    return Ok();
  }
  if (item.reset) {
    if (tail->last > tail->truncated) {
      batch.DeleteRange(Family::kLog, EntryKey(item.partition, tail->truncated.Next()),
                        EntryKeyEnd(item.partition));
    }
    PutTruncated(item.partition, *item.reset, batch);
    *tail = {.truncated = item.reset->lsn, .last = item.reset->lsn};
  }
  if (item.truncate && item.truncate->lsn > tail->truncated) {
    QUORATE_CHECK(item.truncate->lsn <= tail->last);
    batch.DeleteRange(Family::kLog, EntryKey(item.partition, tail->truncated.Next()),
                      EntryKey(item.partition, item.truncate->lsn.Next()));
    PutTruncated(item.partition, *item.truncate, batch);
    tail->truncated = item.truncate->lsn;
  }
  AddEntries(item, *tail, batch);
  batch.Append(std::move(item.changes));
  return Ok();
}

// Range deletes cost every later read something, so there is one only where there is a tail to
// replace.
void LogStore::Writer::AddEntries(Item& item, internal::Tail& tail, kv::WriteBatch& batch) {
  if (!item.entries) {
    return;
  }
  const auto [first, last] = *item.entries;
  QUORATE_CHECK(first > tail.truncated);
  QUORATE_CHECK(first <= tail.last.Next());
  if (first <= tail.last) {
    batch.DeleteRange(Family::kLog, EntryKey(item.partition, first),
                      EntryKey(item.partition, tail.last.Next()));
  }
  tail.last = last;
}

Result<internal::Tail*> LogStore::Writer::FindTail(PartitionId partition) {
  const auto known = tails_.find(partition);
  if (known != tails_.end()) {
    return &known->second;
  }
  const std::optional<internal::Tail> stored = QUORATE_TRY(internal::FindTail(store_, partition));
  if (!stored) {
    return static_cast<internal::Tail*>(nullptr);
  }
  return &tails_.emplace(partition, *stored).first->second;
}

Status LogStore::Writer::WriteNow(PartitionId partition, kv::WriteBatch batch, bool drop_queued) {
  std::vector<Item> dropped;  // Their callbacks are destroyed outside the locks.
  Status written;
  {
    const std::lock_guard write_lock(write_mutex_);
    if (stopped_) {
      return Error(Code::kUnavailable, "the log is closed");
    }
    if (drop_queued) {
      const std::lock_guard lock(mutex_);
      const auto others = std::stable_partition(
          queue_.begin(), queue_.end(),
          [partition](const Item& item) { return item.partition != partition; });
      dropped.assign(std::make_move_iterator(others), std::make_move_iterator(queue_.end()));
      queue_.erase(others, queue_.end());
    }
    tails_.erase(partition);
    written = WriteToStore(std::move(batch), true);
    stopped_ = !written.has_value();
  }
  if (!written) {
    Fail(written.error());
  }
  return written;
}

Status LogStore::Writer::WriteToStore(kv::WriteBatch batch, bool sync) {
  const std::size_t bytes = batch.bytes();
  QUORATE_TRY(QUORATE_FAULT_STATUS("log.before_write"));
  QUORATE_TRY(store_.Write(std::move(batch), {.sync = sync}));
  QUORATE_TRY(QUORATE_FAULT_STATUS("log.after_write"));
  ++batches_;
  bytes_total_.Add(static_cast<double>(bytes));
  if (sync) {
    ++syncs_;
    syncs_total_.Add();
  }
  return Ok();
}

void LogStore::Writer::Fail(const Error& error) {
  logger_.Fail("log write failed: the process ends", {{"error", error.ToString()}});
  if (options_.on_fatal) {
    options_.on_fatal(error);
    return;
  }
  std::fputs(fmt::format("quorate: cannot write the log, stopping: {}\n", error.message()).c_str(),
             stderr);
  std::fflush(stderr);
  std::_Exit(1);  // No destructors: nothing may touch the store any more.
}

void LogStore::Writer::Close() {
  std::deque<Item> dropped;
  const std::lock_guard write_lock(write_mutex_);
  stopped_ = true;
  const std::lock_guard lock(mutex_);
  dropped.swap(queue_);
}

LogStore::Totals LogStore::Writer::totals() const {
  return {.syncs = syncs_, .batches = batches_, .requests = requests_};
}

}  // namespace quorate::log
