#include "txn/internal/conflict_window.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include "base/check.h"

namespace quorate::txn::internal {

// One version of one key. The bytes of the key, and behind them those of the value, follow it in
// the same piece of memory: most keys have one version, and one allocation is what they should
// cost.
struct ConflictWindow::Record {
  static constexpr std::uint32_t kDeleted = UINT32_MAX;

  Record* older;  // Of the same key; null if that is not held.
  Record* newer;
  Record* next_in_entry;
  Lsn lsn;
  std::uint32_t key_size;
  std::uint32_t value_size;  // kDeleted: no value.

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  std::string_view key() const { return {bytes(), key_size}; }
  std::optional<std::string_view> value() const {
    return value_size == kDeleted ? std::nullopt
                                  : std::optional(std::string_view(bytes() + key_size, value_size));
  }
  // What the heap makes of it: a header, and multiples of 16.
  std::size_t cost() const {
    const std::size_t size = sizeof(Record) + key_size + (value_size == kDeleted ? 0 : value_size);
    return (size + 8 + 15) / 16 * 16;
  }
};

namespace {

// What a pointer in the two indices costs, their nodes being partly empty.
constexpr std::size_t kIndexBytes = 16;

}  // namespace

bool ConflictWindow::ByKey::operator()(const Record* a, const Record* b) const {
  return a->key() < b->key();
}
bool ConflictWindow::ByKey::operator()(const Record* a, std::string_view b) const {
  return a->key() < b;
}
bool ConflictWindow::ByKey::operator()(std::string_view a, const Record* b) const {
  return a < b->key();
}

std::size_t ConflictWindow::ById::operator()(const Entry* entry) const {
  return absl::Hash<Id>()(entry->transaction);
}
std::size_t ConflictWindow::ById::operator()(const Id& id) const {
  return absl::Hash<Id>()(id);
}
bool ConflictWindow::ById::operator()(const Entry* a, const Entry* b) const {
  return a->transaction == b->transaction;
}
bool ConflictWindow::ById::operator()(const Entry* a, const Id& b) const {
  return a->transaction == b;
}

ConflictWindow::~ConflictWindow() {
  DropFrom(floor_);
}

void ConflictWindow::Add(const EntryInfo& info, std::vector<Write> writes) {
  QUORATE_CHECK(info.lsn > floor_);
  QUORATE_CHECK(entries_.empty() || info.lsn > entries_.back().lsn);
  QUORATE_CHECK(info.transaction.bytes.size() == kTransactionIdBytes);
  const std::uint64_t before =
      entries_.empty() ? log_bytes_evicted_ : entries_.back().log_bytes_up_to;
  Entry& entry = entries_.emplace_back(Entry{.lsn = info.lsn,
                                             .transaction = {},
                                             .time = info.time,
                                             .log_bytes_up_to = before + info.log_bytes,
                                             .first = nullptr});
  std::ranges::copy(info.transaction.bytes, entry.transaction.begin());
  by_id_.insert(&entry);
  for (const Write& write : writes) {
    AddRecord(entry, write);
  }
}

void ConflictWindow::AddRecord(Entry& entry, const Write& write) {
  const auto at = newest_.find(std::string_view(write.key));
  Record* older = at == newest_.end() ? nullptr : *at;
  if (older != nullptr && older->lsn == entry.lsn) {  // The last counts.
    Record** link = &entry.first;
    while (*link != older) {
      link = &(*link)->next_in_entry;
    }
    *link = older->next_in_entry;
    Record* before = older->older;
    newest_.erase(at);
    if (before != nullptr) {
      before->newer = nullptr;
      newest_.insert(before);
    }
    Free(older);
    AddRecord(entry, write);
    return;
  }
  const std::size_t value_size = write.value ? write.value->size() : 0;
  void* memory = ::operator new(sizeof(Record) + write.key.size() + value_size);
  auto* record = new (memory)
      Record{.older = older,
             .newer = nullptr,
             .next_in_entry = entry.first,
             .lsn = entry.lsn,
             .key_size = static_cast<std::uint32_t>(write.key.size()),
             .value_size = write.value ? static_cast<std::uint32_t>(value_size) : Record::kDeleted};
  char* bytes = reinterpret_cast<char*>(record + 1);
  std::memcpy(bytes, write.key.data(), write.key.size());
  if (value_size > 0) {
    std::memcpy(bytes + write.key.size(), write.value->data(), value_size);
  }
  entry.first = record;
  if (older != nullptr) {
    older->newer = record;
    newest_.erase(at);
  }
  newest_.insert(record);
  ++size_;
  record_bytes_ += record->cost();
}

void ConflictWindow::Free(Record* record) {
  --size_;
  record_bytes_ -= record->cost();
  ::operator delete(record);
}

void ConflictWindow::DropFrom(Lsn lsn) {
  while (!entries_.empty() && entries_.back().lsn >= lsn) {
    Entry& entry = entries_.back();
    while (entry.first != nullptr) {
      Record* record = std::exchange(entry.first, entry.first->next_in_entry);
      QUORATE_CHECK(record->newer == nullptr);
      newest_.erase(record);
      if (record->older != nullptr) {
        record->older->newer = nullptr;
        newest_.insert(record->older);
      }
      Free(record);
    }
    by_id_.erase(&entry);
    entries_.pop_back();
  }
}

void ConflictWindow::Evict(Lsn lsn) {
  if (lsn <= floor_) {
    return;
  }
  floor_ = lsn;
  Forget(lsn);
}

void ConflictWindow::Forget(Lsn lsn) {
  while (!entries_.empty() && entries_.front().lsn <= lsn) {
    Entry& entry = entries_.front();
    while (entry.first != nullptr) {
      Record* record = std::exchange(entry.first, entry.first->next_in_entry);
      QUORATE_CHECK(record->older == nullptr);
      if (record->newer != nullptr) {
        record->newer->older = nullptr;
      } else {
        newest_.erase(record);
      }
      Free(record);
    }
    log_bytes_evicted_ = entry.log_bytes_up_to;
    by_id_.erase(&entry);
    entries_.pop_front();
  }
}

// The last entry before the tail, which ends with `applied`.
Lsn ConflictWindow::TailFloor(const WindowBounds& bounds, Lsn applied) const {
  const Lsn by_count{applied.value - std::min(bounds.tail_entries, applied.value)};
  const auto end = std::ranges::upper_bound(entries_, applied, {}, &Entry::lsn);
  if (end == entries_.begin()) {
    return by_count;
  }
  const std::uint64_t last = std::prev(end)->log_bytes_up_to;
  if (last - log_bytes_evicted_ <= bounds.tail_log_bytes) {
    return by_count;
  }
  const auto by_bytes = std::lower_bound(
      entries_.begin(), end, last - bounds.tail_log_bytes,
      [](const Entry& entry, std::uint64_t bytes) { return entry.log_bytes_up_to < bytes; });
  return std::max(by_count, by_bytes->lsn);
}

void ConflictWindow::Trim(const WindowBounds& bounds, Lsn applied, Lsn needed,
                          std::chrono::microseconds now) {
  Evict(std::min(needed, TailFloor(bounds, applied)));
  if (applied.value - std::min(applied, floor_).value > bounds.entries_max) {
    Evict(Lsn{applied.value - bounds.entries_max});
  }
  while (!entries_.empty() && entries_.front().lsn <= applied &&
         (bytes() > bounds.bytes_max || entries_.front().time + bounds.age_max < now)) {
    Evict(entries_.front().lsn);
  }
}

std::size_t ConflictWindow::bytes() const {
  return record_bytes_ + newest_.size() * kIndexBytes +
         entries_.size() * (sizeof(Entry) + kIndexBytes);
}

std::optional<ConflictWindow::Version> ConflictWindow::FindAfter(std::string_view key,
                                                                 Lsn snapshot) const {
  QUORATE_CHECK(snapshot >= floor_);
  const auto at = newest_.find(key);
  if (at == newest_.end() || (*at)->lsn <= snapshot) {
    return std::nullopt;
  }
  return Version{.lsn = (*at)->lsn, .value = (*at)->value()};
}

void ConflictWindow::ForEachAfter(
    std::string_view prefix, Lsn snapshot,
    const std::function<bool(std::string_view, const Version&)>& visit) const {
  QUORATE_CHECK(snapshot >= floor_);
  for (auto at = newest_.lower_bound(prefix);
       at != newest_.end() && (*at)->key().starts_with(prefix); ++at) {
    const Record& newest = **at;
    if (newest.lsn > snapshot &&
        !visit(newest.key(), Version{.lsn = newest.lsn, .value = newest.value()})) {
      return;
    }
  }
}

std::size_t ConflictWindow::EntriesAfter(Lsn snapshot) const {
  QUORATE_CHECK(snapshot >= floor_);
  const auto first = std::ranges::upper_bound(entries_, snapshot, {}, &Entry::lsn);
  return static_cast<std::size_t>(entries_.end() - first);
}

bool ConflictWindow::AnyKeyAfter(Lsn snapshot,
                                 absl::FunctionRef<bool(std::string_view)> test) const {
  QUORATE_CHECK(snapshot >= floor_);
  for (auto entry = std::ranges::upper_bound(entries_, snapshot, {}, &Entry::lsn);
       entry != entries_.end(); ++entry) {
    for (const Record* record = entry->first; record != nullptr; record = record->next_in_entry) {
      if (test(record->key())) {
        return true;
      }
    }
  }
  return false;
}

TransactionId ConflictWindow::TransactionAt(Lsn lsn) const {
  const auto at = std::ranges::lower_bound(entries_, lsn, {}, &Entry::lsn);
  QUORATE_CHECK(at != entries_.end() && at->lsn == lsn);
  return {.bytes = std::string(at->transaction.data(), at->transaction.size())};
}

std::optional<Lsn> ConflictWindow::FindTransaction(std::string_view id) const {
  Id key{};
  if (id.size() != key.size()) {
    return std::nullopt;
  }
  std::ranges::copy(id, key.begin());
  const auto at = by_id_.find(key);
  return at == by_id_.end() ? std::nullopt : std::optional((*at)->lsn);
}

}  // namespace quorate::txn::internal
