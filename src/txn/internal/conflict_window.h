// ConflictWindow: what was written lately, and by which entry.
//
// Verification asks it whether a key was written after a transaction's snapshot, and what its value
// is now: a version newer than the snapshot overrides the snapshot. It holds the writes of all
// entries above its floor: applied ones that an open snapshot does not contain, committed ones that
// are not applied, and proposals in flight, which can be taken back.
//
// Pure; keys and values are bytes without meaning here. Costs O(log n) a key.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "txn/conflict.h"

namespace quorate::txn::internal {

class ConflictWindow {
 public:
  struct Write {
    std::string key;
    std::optional<std::string> value;  // Nothing: deleted.
  };
  struct Version {
    Lsn lsn;
    std::optional<std::string> value;
  };

  // Nothing is known of entries up to `floor`.
  explicit ConflictWindow(Lsn floor) : floor_(floor) {}

  ConflictWindow(const ConflictWindow&) = delete;
  ConflictWindow& operator=(const ConflictWindow&) = delete;

  // The entry at `lsn`, of this transaction, writes these; of a key that comes twice the last
  // counts. REQUIRES: lsn is above the floor and above every entry that was added and not dropped.
  void Add(Lsn lsn, TransactionId transaction, std::vector<Write> writes);

  // The entries from `lsn` on do not take place: what they overwrote is the newest again.
  void DropFrom(Lsn lsn);

  // Forgets the entries up to `lsn`, which becomes the floor. Whoever has a snapshot below the
  // floor cannot be verified any more.
  void Evict(Lsn lsn);

  Lsn floor() const { return floor_; }
  // Versions held: what is to be bounded.
  std::size_t size() const { return size_; }
  // The oldest entry with a write; nothing when empty.
  std::optional<Lsn> oldest() const;

  // The newest version of `key` if an entry after `snapshot` wrote it, else null. Valid until the
  // next change. REQUIRES: snapshot >= floor().
  const Version* FindAfter(std::string_view key, Lsn snapshot) const;

  // Whose entry it is that a version was written by. REQUIRES: `lsn` is that of a version held.
  const TransactionId& TransactionAt(Lsn lsn) const;

  // Calls `visit` for each key with the prefix that was written after `snapshot`, in order, until
  // it returns false.
  void ForEachAfter(std::string_view prefix, Lsn snapshot,
                    const std::function<bool(std::string_view, const Version&)>& visit) const;

 private:
  // Of one key, ascending, never empty. The oldest go first; that a hot key has very many must not
  // make this slow, and most keys have one, so that a deque would be too large.
  class Versions {
   public:
    bool empty() const { return first_ == all_.size(); }
    const Version& front() const { return all_[first_]; }
    const Version& back() const { return all_.back(); }
    Version& back() { return all_.back(); }
    void push_back(Version version) { all_.push_back(std::move(version)); }
    void pop_back() { all_.pop_back(); }
    void pop_front();

   private:
    std::vector<Version> all_;
    std::size_t first_ = 0;  // Those before it are gone.
  };
  using Keys = std::map<std::string, Versions, std::less<>>;
  struct EntryWrites {
    Lsn lsn;
    TransactionId transaction;
    std::vector<Keys::iterator> keys;  // Each once.
  };

  Lsn floor_;
  Keys keys_;
  std::deque<EntryWrites> entries_;  // Ascending.
  std::size_t size_ = 0;
};

}  // namespace quorate::txn::internal
