#include "raft/entry_cache.h"

#include "base/check.h"

namespace quorate::raft {
namespace {

// What an entry costs beside its data.
constexpr std::size_t kOverheadBytes = sizeof(consensus::Entry);

std::size_t Cost(const consensus::Entry& entry) {
  return kOverheadBytes + entry.data.size();
}

}  // namespace

void EntryCache::Reset(Position base) {
  base_ = base;
  entries_.clear();
  bytes_ = 0;
}

void EntryCache::Append(std::span<const consensus::EntryView> entries) {
  if (entries.empty()) {
    return;
  }
  const Lsn first = entries.front().lsn;
  QUORATE_CHECK(first > base_.lsn);
  QUORATE_CHECK(first <= last().lsn.Next());
  while (!entries_.empty() && entries_.back().lsn >= first) {
    bytes_ -= Cost(entries_.back());
    entries_.pop_back();
  }
  for (const consensus::EntryView& entry : entries) {
    QUORATE_CHECK(entry.lsn == last().lsn.Next());
    entries_.push_back(consensus::Entry::From(entry));
    bytes_ += Cost(entries_.back());
  }
}

void EntryCache::DropUpTo(Lsn upto) {
  while (!entries_.empty() && entries_.front().lsn <= upto) {
    DropFront();
  }
}

void EntryCache::Shrink(std::size_t bytes_max, Lsn durable) {
  while (bytes_ > bytes_max && !entries_.empty() && entries_.front().lsn <= durable) {
    DropFront();
  }
}

void EntryCache::DropFront() {
  bytes_ -= Cost(entries_.front());
  base_ = entries_.front().position();
  entries_.pop_front();
}

const consensus::Entry* EntryCache::Find(Lsn lsn) const {
  if (lsn <= base_.lsn || lsn > last().lsn) {
    return nullptr;
  }
  return &entries_[lsn.value - base_.lsn.value - 1];
}

std::optional<Term> EntryCache::FindTerm(Lsn lsn) const {
  if (lsn == base_.lsn) {
    return base_.term;
  }
  const consensus::Entry* entry = Find(lsn);
  return entry == nullptr ? std::nullopt : std::optional(entry->term);
}

Position EntryCache::last() const {
  return entries_.empty() ? base_ : entries_.back().position();
}

}  // namespace quorate::raft
