#include "txn/internal/conflict_window.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::txn::internal {

void ConflictWindow::Versions::pop_front() {
  all_[first_].value.reset();
  ++first_;
  if (first_ * 2 > all_.size()) {
    all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void ConflictWindow::Add(Lsn lsn, TransactionId transaction, std::vector<Write> writes) {
  QUORATE_CHECK(lsn > floor_);
  QUORATE_CHECK(entries_.empty() || lsn > entries_.back().lsn);
  if (writes.empty()) {
    return;
  }
  EntryWrites& entry = entries_.emplace_back(
      EntryWrites{.lsn = lsn, .transaction = std::move(transaction), .keys = {}});
  for (Write& write : writes) {
    const auto at = keys_.try_emplace(std::move(write.key)).first;
    Versions& versions = at->second;
    if (!versions.empty() && versions.back().lsn == lsn) {
      versions.back().value = std::move(write.value);
      continue;
    }
    versions.push_back({.lsn = lsn, .value = std::move(write.value)});
    entry.keys.push_back(at);
    ++size_;
  }
}

void ConflictWindow::DropFrom(Lsn lsn) {
  while (!entries_.empty() && entries_.back().lsn >= lsn) {
    for (const Keys::iterator at : entries_.back().keys) {
      Versions& versions = at->second;
      QUORATE_CHECK(versions.back().lsn == entries_.back().lsn);
      versions.pop_back();
      --size_;
      if (versions.empty()) {
        keys_.erase(at);
      }
    }
    entries_.pop_back();
  }
}

void ConflictWindow::Evict(Lsn lsn) {
  if (lsn <= floor_) {
    return;
  }
  floor_ = lsn;
  while (!entries_.empty() && entries_.front().lsn <= lsn) {
    for (const Keys::iterator at : entries_.front().keys) {
      Versions& versions = at->second;
      QUORATE_CHECK(versions.front().lsn == entries_.front().lsn);
      versions.pop_front();
      --size_;
      if (versions.empty()) {
        keys_.erase(at);
      }
    }
    entries_.pop_front();
  }
}

std::optional<Lsn> ConflictWindow::oldest() const {
  return entries_.empty() ? std::nullopt : std::optional(entries_.front().lsn);
}

const ConflictWindow::Version* ConflictWindow::FindAfter(std::string_view key, Lsn snapshot) const {
  QUORATE_CHECK(snapshot >= floor_);
  const auto at = keys_.find(key);
  if (at == keys_.end() || at->second.back().lsn <= snapshot) {
    return nullptr;
  }
  return &at->second.back();
}

const TransactionId& ConflictWindow::TransactionAt(Lsn lsn) const {
  const auto at = std::ranges::lower_bound(entries_, lsn, {}, &EntryWrites::lsn);
  QUORATE_CHECK(at != entries_.end() && at->lsn == lsn);
  return at->transaction;
}

void ConflictWindow::ForEachAfter(
    std::string_view prefix, Lsn snapshot,
    const std::function<bool(std::string_view, const Version&)>& visit) const {
  QUORATE_CHECK(snapshot >= floor_);
  for (auto at = keys_.lower_bound(prefix); at != keys_.end() && at->first.starts_with(prefix);
       ++at) {
    const Version& newest = at->second.back();
    if (newest.lsn > snapshot && !visit(at->first, newest)) {
      return;
    }
  }
}

}  // namespace quorate::txn::internal
