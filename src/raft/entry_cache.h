// EntryCache holds the newest entries of one group's log: all that are not on disk yet, and as many
// of the others as are likely to be asked for (not applied, or wanted by a slow peer).
//
// The engine keeps no entry once it has handed it out, so between that moment and the end of the
// write this is the only place that has it. Those entries are never dropped for their size: the
// engine's own limits bound them. Everything older is, from the front.
//
// A value; no thread of its own.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>

#include "base/ids.h"
#include "consensus/entry.h"

namespace quorate::raft {

class EntryCache {
 public:
  // Empty, behind an entry at `base`.
  explicit EntryCache(Position base = {}) : base_(base) {}

  // Forgets everything.
  void Reset(Position base);

  // Adds entries, ascending without gaps; those at and after the first one's LSN are replaced.
  // REQUIRES: base().lsn < entries[0].lsn <= last().lsn + 1.
  void Append(std::span<const consensus::EntryView> entries);

  // Drops what is not above `upto`.
  void DropUpTo(Lsn upto);

  // Drops the oldest entries not above `durable` while more than `bytes_max` are held.
  void Shrink(std::size_t bytes_max, Lsn durable);

  // Null if it is not here.
  const consensus::Entry* Find(Lsn lsn) const;

  // Of an entry here, or of base().
  std::optional<Term> FindTerm(Lsn lsn) const;

  Position base() const { return base_; }  // The entry before the first one here.
  Position last() const;                   // base() if empty.
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  void DropFront();

  Position base_;
  std::deque<consensus::Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace quorate::raft
