#include "raft/internal/log_view.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace quorate::raft::internal {
namespace {

// Roughly what the engine reckons for an entry beside its data.
constexpr std::uint64_t kEntryOverheadBytes = 12;

// The store must have what it is asked for; whatever it says else is damage.
Error Damaged(Error error, Lsn lsn) {
  return Error(Code::kCorruption,
               "entry " + std::to_string(lsn.value) + " cannot be read: " + error.ToString());
}

Error Beyond(Lsn lsn) {
  return Error(Code::kUnavailable, "entry " + std::to_string(lsn.value) + " is beyond the log");
}

Error Gone(Lsn lsn) {
  return Error(Code::kNotFound, "entry " + std::to_string(lsn.value) + " was dropped");
}

}  // namespace

LogView::LogView(PartitionId partition, log::LogStore& store)
    : partition_(partition), store_(store) {
}

Status LogView::Open(const log::StoredLog& stored, consensus::HardState hard_state,
                     consensus::ConfState conf_state) {
  initial_ = {.hard_state = hard_state, .conf_state = std::move(conf_state)};
  truncated_ = stored.truncated;
  cache_.Reset(truncated_);
  if (stored.last != truncated_.lsn) {
    const Result<Term> term = store_.TermAt(partition_, stored.last);
    if (!term) {
      return Damaged(term.error(), stored.last);
    }
    cache_.Reset({.lsn = stored.last, .term = *term});
  }
  return Ok();
}

Status LogView::Append(std::span<const consensus::EntryView> entries) {
  if (entries.empty()) {
    return Ok();
  }
  const Lsn first = entries.front().lsn;
  if (first <= truncated_.lsn || first > last().Next()) {
    return Error(Code::kInternal, "the engine appends entry " + std::to_string(first.value) +
                                      " to a log that ends at " + std::to_string(last().value));
  }
  if (first <= cache_.base().lsn) {
    // A conflict below the cache: only durable entries were dropped from it.
    const Lsn before{first.value - 1};
    const Term term = QUORATE_TRY(TermAt(before));
    cache_.Reset({.lsn = before, .term = term});
  }
  cache_.Append(entries);
  return Ok();
}

void LogView::Trim(Lsn applied, Lsn durable, std::size_t bytes_max) {
  cache_.DropUpTo(std::min(applied, durable));
  cache_.Shrink(bytes_max, durable);
}

void LogView::Truncated(Position upto) {
  truncated_ = upto;
  cache_.DropUpTo(upto.lsn);
}

Result<consensus::InitialState> LogView::ReadInitialState() {
  return initial_;
}

Status LogView::Entries(Lsn low, Lsn high, std::uint64_t bytes_max, consensus::EntrySink& sink) {
  if (low <= truncated_.lsn) {
    return Gone(low);
  }
  if (high > last().Next()) {
    return Beyond(high);
  }
  std::uint64_t bytes = 0;
  const auto push = [&](const consensus::Entry& entry) {
    const std::uint64_t cost = entry.data.size() + kEntryOverheadBytes;
    if (bytes > 0 && bytes + cost > bytes_max) {
      return false;
    }
    bytes += cost;
    sink.Push(entry.view());
    return true;
  };
  Lsn next = low;
  const Lsn stored_end = std::min(high, cache_.base().lsn.Next());
  while (next < stored_end) {
    const auto page = store_.Read(partition_, next, stored_end,
                                  static_cast<std::size_t>(bytes_max - std::min(bytes, bytes_max)));
    if (!page) {
      return Damaged(page.error(), next);
    }
    if (page->empty() || page->front().lsn != next) {
      return Damaged(Error(Code::kInternal, "the store answers with other entries"), next);
    }
    for (const consensus::Entry& entry : *page) {
      if (!push(entry)) {
        return Ok();
      }
      next = entry.lsn.Next();
    }
  }
  for (; next < high; next = next.Next()) {
    if (!push(*cache_.Find(next))) {
      return Ok();
    }
  }
  return Ok();
}

Result<Term> LogView::TermAt(Lsn lsn) {
  if (lsn == truncated_.lsn) {
    return truncated_.term;
  }
  if (lsn < truncated_.lsn) {
    return Gone(lsn);
  }
  if (lsn > last()) {
    return Beyond(lsn);
  }
  if (const std::optional<Term> term = cache_.FindTerm(lsn)) {
    return *term;
  }
  Result<Term> stored = store_.TermAt(partition_, lsn);
  if (!stored) {
    return Damaged(stored.error(), lsn);
  }
  return stored;
}

Result<Lsn> LogView::FirstIndex() {
  return truncated_.lsn.Next();
}

Result<Lsn> LogView::LastIndex() {
  return last();
}

// Replica::Compact() keeps every entry that a known peer may need, so that none is owed yet.
Result<consensus::Checkpoint> LogView::MakeCheckpoint(Lsn /*at_least*/, ReplicaId /*to*/) {
  return Error(Code::kUnavailable, "no checkpoint is being made");
}

}  // namespace quorate::raft::internal
