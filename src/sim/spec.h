// What a transaction of a simulated client is to do, in words that the model understands, and the
// way from there to a real Transaction and back.
//
// Everything that can be read or written has one key: "ref 1 refs/heads/a", "head 1", "repo 1",
// "config 1 core.a", "consumer 1 c", "key k". Values are text: "o17" is an object, "@refs/heads/a"
// a symbolic reference, "x|y" two values of the configuration.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "git/object_id.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"

namespace quorate::sim {

using Value = std::optional<std::string>;  // Nothing: does not exist.

std::string RefKey(RepositoryId repository, std::string_view name);
std::string HeadKey(RepositoryId repository);
std::string RepositoryKey(RepositoryId repository);
std::string ConfigKey(RepositoryId repository, std::string_view name);
std::string ConsumerKey(RepositoryId repository, std::string_view name);
std::string UserKey(std::string_view key);

git::ObjectId ObjectOf(std::string_view name);
txn::RefValue RefValueOf(const std::string& text);
std::string TextOf(const txn::RefValue& value);
std::string TextOf(const std::optional<txn::RefValue>& value);  // "none"
std::vector<std::string> ConfigValuesOf(const Value& text);
Value TextOf(const std::vector<std::string>& config_values);
// "acknowledged created lost_first lost_last"
std::string TextOf(const txn::Consumer& consumer);

struct RefWrite {
  RepositoryId repository;
  std::string name;
  std::optional<Value> expected;  // Nothing: no expectation.
  Value value;
};
struct KeyWrite {
  std::string key;
  std::optional<Value> expected;
  Value value;
};
struct ConfigWrite {
  RepositoryId repository;
  std::string name;
  std::optional<Value> expected;
  Value value;
};
struct HeadWrite {
  RepositoryId repository;
  std::optional<std::string> expected;  // Nothing: no expectation.
  std::string value;
};
struct RepositoryWrite {
  RepositoryId repository;
  bool erase = false;   // First,
  bool create = false;  // and then.
};
struct ConsumerWrite {
  enum class What { kCreate, kAcknowledge, kRemove };
  RepositoryId repository;
  std::string name;
  What what = What::kCreate;
  Lsn acknowledged{};
};
// What a reference, or HEAD, must be right before the transaction.
struct Assertion {
  RepositoryId repository;
  std::string name;  // "HEAD", or of a reference.
  Value expected;

  std::string Key() const;
};
// One object, and what it needs to be there: "" is nothing.
struct PackWrite {
  RepositoryId repository;
  std::string object;
  std::string parent;
  bool beside_the_log = false;

  std::string Bytes() const { return object + "<" + parent; }
};

struct Read {
  enum class Kind { kRef, kHead, kRefs, kConfig, kConfigs, kKey, kKeys };
  Kind kind = Kind::kRef;
  RepositoryId repository;
  std::string name;  // Of a range: the prefix of names.

  bool is_range() const {
    return kind == Kind::kRefs || kind == Kind::kConfigs || kind == Kind::kKeys;
  }
  // Of what is read; of a range, what the keys begin with.
  std::string Key() const;
  std::string ToString() const;
};

struct Spec {
  bool serializable = false;
  bool atomic = true;
  bool reads_itself = false;  // By the transaction's own calls; else the reads are declared.
  std::vector<Read> reads;
  std::vector<RepositoryWrite> repositories;  // Before everything else.
  std::vector<RefWrite> refs;
  std::vector<HeadWrite> heads;
  std::vector<ConfigWrite> configs;
  std::vector<KeyWrite> keys;
  std::vector<ConsumerWrite> consumers;
  std::vector<Assertion> assertions;
  std::vector<PackWrite> packs;

  bool writes() const {
    return !repositories.empty() || !refs.empty() || !heads.empty() || !configs.empty() ||
           !keys.empty() || !consumers.empty() || !packs.empty();
  }
  // Nothing that could be refused.
  bool only_reads() const { return !writes() && assertions.empty(); }
  // "serializable; reads ref 1 refs/heads/a; ref 1 refs/heads/b none->o3; pack o3<o1"
  std::string ToString() const;

  // Whether it wants to write `key`, whatever comes of it.
  bool MayWrite(std::string_view key) const;
  // What it expects of `key`: asserted, or before a write of its own.
  std::optional<Value> ExpectationOf(std::string_view key) const;
  bool Creates(RepositoryId repository) const;
};

// Stages all writes but packs, and reads, or declares the reads. An error is what the snapshot
// alone refuses: the transaction is dropped. kInternal: it found something else than its snapshot
// has.
Status Stage(const Spec& spec, txn::Transaction& transaction);

// What the snapshot has under the keys that are read: of a range, each key that exists.
using Contents = std::map<std::string, std::string>;
Result<Contents> ReadFrom(const txn::Snapshot& snapshot, const Read& read);
// Everything.
Result<Contents> ReadAll(const txn::Snapshot& snapshot);

inline constexpr std::uint64_t kRepositories = 2;  // Ids from 1.

}  // namespace quorate::sim
