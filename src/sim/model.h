// Model: the oracle. It replays committed transactions in the order of the log, on plain maps, and
// says what the state is after each and whether a transaction may stand where it stands.
//
// It is the specification of isolation in the fewest words: it knows nothing of windows, terms,
// proposals in flight, batches or crashes.
#pragma once

#include <map>
#include <optional>
#include <set>
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

  // As of `at`, which is not newer than lsn().
  Contents StateAt(Lsn at) const;
  // What a read as of `at` finds.
  Contents ReadAt(const Read& read, Lsn at) const;

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
  using Changes = std::map<std::string, Value>;
  // A key's value, and whether that is newer than a transaction's snapshot, given what the
  // transaction itself made of repositories.
  struct Seen {
    Value value;
    bool newer = false;
  };

  const Version* Newest(const std::string& key) const;
  Value Current(const std::string& key) const;
  bool WrittenAfter(const std::string& key, Lsn snapshot) const;
  Seen Look(const std::string& key, Lsn snapshot, const Changes& own) const;
  std::optional<std::string> FindStaleRead(const Spec& spec, Lsn snapshot) const;
  std::optional<std::string> CheckRepositories(const Spec& spec, Lsn snapshot, Changes& out) const;
  std::optional<std::string> CheckRefs(const Spec& spec, Lsn snapshot, Changes& out) const;
  bool NameIsFree(const RefWrite& write, const Changes& own) const;
  std::optional<std::string> FindBrokenAssertion(const Spec& spec, Lsn snapshot,
                                                 const Changes& own) const;
  static bool TakesPack(const Spec& spec, const PackWrite& pack, const Changes& changes);
  std::optional<std::string> CheckOthers(const Spec& spec, Lsn snapshot, Changes& out) const;
  void Write(Lsn lsn, const std::string& key, const Value& value);

  Lsn lsn_ = kBootstrapPosition.lsn;
  std::map<std::string, std::vector<Version>> cells_;
  std::map<std::string, std::string> objects_;
};

}  // namespace quorate::sim
