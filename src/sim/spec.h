// What a transaction of a simulated client is to do, in words that the model understands, and the
// way from there to a real Transaction and back.
//
// Everything that can be read or written has one key: "ref 1 refs/heads/a", "head 1", "repo 1",
// "key k". Values are text: "o17" is an object, "@refs/heads/a" a symbolic reference.
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
std::string UserKey(std::string_view key);

git::ObjectId ObjectOf(std::string_view name);
txn::RefValue RefValueOf(const std::string& text);
std::string TextOf(const txn::RefValue& value);

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
// What a reference, or HEAD, must be right before the transaction.
struct Assertion {
  RepositoryId repository;
  std::string name;  // "HEAD", or of a reference.
  Value expected;

  std::string Key() const;
};

// A pack with one object, as bytes of a fake pack.
struct PackWrite {
  RepositoryId repository;
  std::string object;
  std::string parent;  // Empty: none.
  bool beside_the_log = false;

  std::string Bytes() const { return object + "<" + parent; }
};

struct Read {
  enum class Kind { kRef, kHead, kPrefix, kKey };
  Kind kind = Kind::kRef;
  RepositoryId repository;
  std::string name;  // Of a prefix: the prefix of names.

  // Of what is read; of a prefix, what the keys begin with.
  std::string Key() const;
};

struct Spec {
  bool serializable = false;
  bool atomic = true;
  std::vector<Read> reads;
  std::vector<RepositoryWrite> repositories;  // Before everything else.
  std::vector<RefWrite> refs;
  std::vector<HeadWrite> heads;
  std::vector<KeyWrite> keys;
  std::vector<Assertion> assertions;
  std::vector<PackWrite> packs;

  bool writes() const {
    return !repositories.empty() || !refs.empty() || !heads.empty() || !keys.empty() ||
           !packs.empty();
  }
  // "serializable; reads ref 1 refs/heads/a; ref 1 refs/heads/b none->o3; pack o3<o1"
  std::string ToString() const;
};

// Stages all writes but packs, and declares the reads. An error is what the snapshot alone
// refuses: the transaction is dropped.
Status Stage(const Spec& spec, txn::Transaction& transaction);

// What the snapshot has under the keys that are read: of a prefix, each key that exists.
using Contents = std::map<std::string, std::string>;
Result<Contents> ReadFrom(const txn::Snapshot& snapshot, const Read& read);
// Everything.
Result<Contents> ReadAll(const txn::Snapshot& snapshot);

inline constexpr std::uint64_t kRepositories = 2;  // Ids from 1.

}  // namespace quorate::sim
