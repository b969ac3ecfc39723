// ConflictWindow: what was written lately, and by which entry.
//
// Verification asks it whether a key was written after a transaction's snapshot, and what its value
// is now: a version newer than the snapshot overrides the snapshot. It holds the writes of all
// entries above its floor: applied ones, committed ones that are not applied, and proposals in
// flight, which can be taken back.
//
// How far back it reaches is Trim()'s decision. The tail of the log, a few entries, is always
// there: the same on every replica that applied the same entries, whether it led, followed or
// restarted. More is kept for snapshots in use, up to bounds in bytes, entries and age that no
// snapshot moves.
//
// Pure; keys and values are bytes without meaning here. Costs O(log n) a key. About 180 bytes a key
// of a typical reference, all counted by bytes().
#pragma once

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_set.h>
#include <absl/functional/function_ref.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "txn/conflict.h"
#include "txn/window_bounds.h"

namespace quorate::txn::internal {

class ConflictWindow {
 public:
  struct Write {
    std::string key;
    std::optional<std::string> value;  // Nothing: deleted.
  };
  // What is remembered of an entry, beside its writes.
  struct EntryInfo {
    Lsn lsn;
    TransactionId transaction;
    std::chrono::microseconds time{0};  // As it stands in the entry.
    std::size_t log_bytes = 0;          // Of its data.
  };
  struct Version {
    Lsn lsn;
    std::optional<std::string_view> value;
  };

  // Nothing is known of entries up to `floor`.
  explicit ConflictWindow(Lsn floor) : floor_(floor) {}
  ~ConflictWindow();

  ConflictWindow(const ConflictWindow&) = delete;
  ConflictWindow& operator=(const ConflictWindow&) = delete;

  // The entry writes these; of a key that comes twice the last counts. REQUIRES: its LSN is above
  // the floor and above every entry that was added and not dropped.
  void Add(const EntryInfo& info, std::vector<Write> writes);

  // The entries from `lsn` on do not take place: what they overwrote is the newest again.
  void DropFrom(Lsn lsn);

  // Forgets the entries up to `lsn`, which becomes the floor. Whoever has a snapshot below the
  // floor cannot be verified any more.
  void Evict(Lsn lsn);

  // For Evict(). The floor stays, so alone it is a mistake.
  void Forget(Lsn lsn);

  // Forgets what is neither in the tail nor behind `needed`, the oldest snapshot in use; and, of
  // what is applied, whatever is beyond the bounds.
  void Trim(const WindowBounds& bounds, Lsn applied, Lsn needed, std::chrono::microseconds now);

  Lsn floor() const { return floor_; }
  // Versions held, and what they cost.
  std::size_t size() const { return size_; }
  std::size_t bytes() const;

  // The newest version of `key` if an entry after `snapshot` wrote it. Its value is valid until the
  // next change. REQUIRES: snapshot >= floor().
  std::optional<Version> FindAfter(std::string_view key, Lsn snapshot) const;

  // Calls `visit` for each key with the prefix that was written after `snapshot`, in order, until
  // it returns false.
  void ForEachAfter(std::string_view prefix, Lsn snapshot,
                    const std::function<bool(std::string_view, const Version&)>& visit) const;

  // How many entries after `snapshot` are held. REQUIRES: snapshot >= floor().
  std::size_t EntriesAfter(Lsn snapshot) const;
  // Whether one of them wrote a key for which `test` holds.
  bool AnyKeyAfter(Lsn snapshot, absl::FunctionRef<bool(std::string_view)> test) const;

  // Whose entry it is that a version was written by. REQUIRES: `lsn` is that of a version held.
  TransactionId TransactionAt(Lsn lsn) const;
  // Where the transaction is, if its entry is held.
  std::optional<Lsn> FindTransaction(std::string_view id) const;

 private:
  using Id = std::array<char, kTransactionIdBytes>;
  struct Record;
  struct Entry {
    Lsn lsn;
    Id transaction;
    std::chrono::microseconds time;
    std::uint64_t log_bytes_up_to;  // Of all entries so far, this one included.
    Record* first;                  // Of its records, linked by next_in_entry.
  };
  struct ByKey {
    using is_transparent = void;
    bool operator()(const Record* a, const Record* b) const;
    bool operator()(const Record* a, std::string_view b) const;
    bool operator()(std::string_view a, const Record* b) const;
  };
  struct ById {
    using is_transparent = void;
    std::size_t operator()(const Entry* entry) const;
    std::size_t operator()(const Id& id) const;
    bool operator()(const Entry* a, const Entry* b) const;
    bool operator()(const Entry* a, const Id& b) const;
  };

  void AddRecord(Entry& entry, const Write& write);
  void Free(Record* record);
  Lsn TailFloor(const WindowBounds& bounds, Lsn applied) const;

  Lsn floor_;
  absl::btree_set<Record*, ByKey> newest_;  // Of each key.
  // Ascending; their addresses do not change.
  std::deque<Entry> entries_;
  absl::flat_hash_set<const Entry*, ById, ById> by_id_;
  std::size_t size_ = 0;
  std::size_t record_bytes_ = 0;
  std::uint64_t log_bytes_evicted_ = 0;
};

}  // namespace quorate::txn::internal
