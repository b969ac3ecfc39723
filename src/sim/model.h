// Model: the oracle's memory. It replays committed transactions in the order of the log, on plain
// maps, and keeps every version of every key.
//
// With Judge() (sim/judge.h) it is the specification of isolation in the fewest words: it knows
// nothing of windows, terms, proposals in flight, batches or crashes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "sim/spec.h"

namespace quorate::sim {

class Model {
 public:
  // The newest entry it contains.
  Lsn lsn() const { return lsn_; }

  // An entry without a transaction.
  void Skip(Lsn lsn) { lsn_ = lsn; }

  // A transaction that read at `snapshot` is the entry at `lsn`, behind all that came before. Why
  // that is against the rules; nothing if it is not. Without `judge_reads`, what a serializable
  // transaction read is left to SerialGraph, which forgives what some serial order explains.
  std::optional<std::string> Commit(const Spec& spec, Lsn snapshot, Lsn lsn, bool judge_reads);
  // Likewise for the entry by which a partition cuts off a consumer that keeps more than
  // `entries_max` entries.
  std::optional<std::string> CutOff(const std::string& consumer_key, Lsn lsn,
                                    std::uint64_t entries_max);

  // As of `at`, which is not newer than lsn().
  Contents StateAt(Lsn at) const;
  Value ValueAt(const std::string& key, Lsn at) const;
  // By which entry, at or before `at`, `key` was written last; 0 if by none.
  Lsn WriterAt(const std::string& key, Lsn at) const;
  // What a read as of `at` finds.
  Contents ReadAt(const Read& read, Lsn at) const;
  // What a consumer of `repository` is told of the entries in (after, upto]: of each that changed
  // it, the sorted moves, "ref 1 refs/heads/a none->o3". Only while the repository stays the same.
  using Moves = std::vector<std::string>;
  std::map<Lsn, Moves> ChangesOf(RepositoryId repository, Lsn after, Lsn upto) const;

  // When `key` was written, ascending.
  std::vector<Lsn> WritesOf(const std::string& key) const;
  // The keys that begin with `prefix`, whether they exist or not.
  std::vector<std::string> KeysWith(std::string_view prefix) const;

  // The objects that packs brought: parent of each, "" for none.
  const std::map<std::string, std::string>& objects() const { return objects_; }

 private:
  struct Version {
    Lsn lsn;
    Value value;
  };

  const Version* NewestAt(const std::string& key, Lsn at) const;
  void Write(Lsn lsn, const std::string& key, const Value& value);

  Lsn lsn_ = kBootstrapPosition.lsn;
  std::map<std::string, std::vector<Version>> cells_;
  std::map<std::string, std::string> objects_;
};

}  // namespace quorate::sim
