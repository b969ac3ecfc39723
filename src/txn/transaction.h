// Transaction: reads from one snapshot, stages changes, and is committed as a whole or not at all.
//
// Owned by one caller, used by one thread at a time; staging may block on the disk (it reads the
// snapshot, so that verification later need not). Nothing is visible to anybody before it commits.
//
// It ends once: handed to TransactionManager::Commit(), or aborted. What comes later is refused
// with a LifeCycleError. Dropping an open transaction aborts it and leaves no trace; if it has a
// pack, that blocks on the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "git/pack_installer.h"
#include "txn/conflict.h"
#include "txn/consumer.h"
#include "txn/life_cycle.h"
#include "txn/snapshot.h"

namespace quorate::txn {

enum class Isolation : std::uint8_t {
  kSnapshot,      // Writes are checked.
  kSerializable,  // What was declared as read is checked too, unless nothing else was done.
};

// Who chose a transaction's id.
enum class NamedBy : std::uint8_t {
  kClient,  // Who may ask by it: why it was aborted is remembered for a while.
  kServer,  // For a client that chose none.
};

struct TransactionOptions {
  Isolation isolation = Isolation::kSnapshot;
  std::string actor;
  std::vector<std::string> push_options;
  // True: one reference that cannot be changed aborts all. False: the others are committed, and the
  // outcome says which (a push without `atomic`).
  bool all_or_nothing = true;
  // 16 raw bytes, if the client names its transaction, so that it may ask later what became of it
  // (Snapshot::FindTransaction) and cannot do it twice as long as ids are remembered
  // (kTransactionIdsKept entries). Empty: a UUID of version 7.
  std::string id;
  NamedBy named_by = NamedBy::kClient;  // Of `id`, if there is one.
};

inline constexpr std::size_t kUserKeyBytesMax = 4096;

// A change of one reference. `expected` is compared with the value at commit, whoever wrote it and
// when. Without `expected` the first to commit wins: it conflicts if the reference was written
// after the snapshot. Deleting what does not exist, and setting what is there already, change
// nothing.
struct RefUpdate {
  RepositoryId repository;
  std::string name;
  struct Expectation {
    std::optional<RefValue> value;  // Nothing: must not exist. Compared by id (or symref) only.
  };
  std::optional<Expectation> expected;
  std::optional<RefValue> value;  // Nothing: delete.
};

class Transaction {
 public:
  ~Transaction();
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;

  // Neither committed nor aborted.
  bool is_open() const { return !ended_; }
  // REQUIRES: is_open().
  const Snapshot& snapshot() const;
  // Also after its end: what became of it is asked for by its id.
  const TransactionId& id() const { return id_; }

  // Ends it: nothing was done and nothing is left. Blocks if it has a pack. kInvalidArgument with a
  // LifeCycleError when it has ended before.
  Status Abort();

  // All: kInvalidArgument for what can never succeed (a bad name, the same reference twice, a
  // repository that this transaction neither sees nor creates ...; with a
  // LifeCycleError, after its end), kCorruption.
  // A repository is deleted, or created, or both in this order, before any other change of it.
  Status StageRef(RefUpdate update);
  // `expected` is compared as that of a reference. Without it HEAD must not have been written after
  // the snapshot.
  Status StageHead(RepositoryId repository, RefValue value,
                   std::optional<RefValue> expected = std::nullopt);
  // Asserts what a reference, or "HEAD", is right before this transaction; changes nothing. If it
  // is something else the transaction conflicts as a whole, whatever its isolation. A reference is
  // either asserted or changed.
  Status VerifyRef(RepositoryId repository, std::string name, std::optional<RefValue> expected);
  // The pack's objects become readable with the transaction. There may be several, for the same or
  // different repositories. A side-stored pack was Persist()ed; it is discarded when it cannot be
  // staged, and when the transaction ends before it has an entry.
  Status StagePack(RepositoryId repository, std::unique_ptr<git::QuarantinedPack> pack);
  Status StageRepositoryCreate(RepositoryId repository, git::ObjectFormat format,
                               std::string default_branch);
  Status StageRepositoryDelete(RepositoryId repository);
  // All values of a name, which may be spelled in any way, are changed together; none: unset.
  // `expected` is compared like that of a reference.
  Status StageConfig(RepositoryId repository, std::string_view name,
                     std::optional<std::vector<std::string>> expected,
                     std::vector<std::string> values);
  // `expected`: nothing inside means the key must not exist. `value`: nothing deletes. A key may be
  // staged again: the last value counts, and an expectation is of the value staged before.
  Status StageKey(std::string key, std::optional<std::optional<std::string>> expected,
                  std::optional<std::string> value);

  // What the transaction sees: its snapshot under its own changes. What comes from the snapshot is
  // declared as read by the call, a range as a whole, also what does not exist and wherever `visit`
  // stops. In byte order, until `visit` returns false; `visit` makes no other call. Errors as
  // above.
  Result<std::optional<RefValue>> FindRef(RepositoryId repository, std::string_view name);
  // Nothing: there is no repository.
  Result<std::optional<RefValue>> FindHead(RepositoryId repository);
  Status ForEachRef(RepositoryId repository, std::string_view prefix,
                    const std::function<bool(const Ref&)>& visit);
  Result<std::vector<std::string>> FindConfig(RepositoryId repository, std::string_view name);
  Status ForEachConfig(RepositoryId repository, std::string_view prefix,
                       const std::function<bool(const git::ConfigEntry&)>& visit);
  Result<std::optional<std::string>> FindKey(std::string_view key);
  Status ForEachKey(std::string_view prefix,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit);

  // Consumers (txn/consumer.h), each at most once in a transaction. They conflict with any other
  // change of the same consumer since the snapshot.
  //   kAlreadyExists      create: there is one of that name that was not cut off;
  //   kResourceExhausted  create: the repository has kConsumersMax of them;
  //   kNotFound           the others: there is none; acknowledge: it was cut off, see CutOffOf().
  // One that is made anew reads what is committed behind the entry that makes it.
  Status StageConsumerCreate(RepositoryId repository, std::string name);
  // What was acknowledged before changes nothing. kInvalidArgument also for an LSN that the
  // snapshot does not contain.
  Status StageConsumerAck(RepositoryId repository, std::string name, Lsn lsn);
  Status StageConsumerRemove(RepositoryId repository, std::string name);
  // It fell too far behind: it loses everything up to the entry that says so.
  Status StageConsumerCutOff(RepositoryId repository, std::string name);

  // Under kSerializable: the transaction aborts if any of these is written between the snapshot and
  // its commit. A prefix covers what does not exist yet. Errors as above.
  Status DeclareRefRead(RepositoryId repository, std::string_view name);
  Status DeclareRefPrefixRead(RepositoryId repository, std::string_view prefix);
  // Names as they are spelled canonically.
  Status DeclareConfigRead(RepositoryId repository, std::string_view name);
  Status DeclareConfigPrefixRead(RepositoryId repository, std::string_view prefix);
  Status DeclareKeyRead(std::string_view key);
  Status DeclareKeyPrefixRead(std::string_view prefix);

  // Implementation; defined in txn/internal.
  struct State;
  explicit Transaction(std::unique_ptr<State> state);
  // For Commit(): what was staged, and the end of this transaction; or why it has ended before.
  Result<std::unique_ptr<State>> TakeState();

 private:
  Status CheckOpen(LifeCycleError::Call call) const;
  void DeclareRepositoryRead(RepositoryId repository);
  Result<std::optional<Consumer>> TouchConsumer(RepositoryId repository, const std::string& name);
  Result<Consumer> TouchFollowing(RepositoryId repository, const std::string& name);
  void StageConsumer(RepositoryId repository, std::string name, std::optional<Consumer> in_snapshot,
                     std::optional<Consumer> value);

  TransactionId id_;
  std::unique_ptr<State> state_;  // Null once it has ended.
  std::optional<LifeCycleError::Reason> ended_;
};

// What became of a committed transaction.
struct CommitOutcome {
  Lsn lsn;  // 0 when nothing was left to commit.
  // One per StageRef() call, in order: nothing, or why this reference was left out (only when
  // all_or_nothing is false).
  std::vector<std::optional<Conflict>> refs;
};

}  // namespace quorate::txn
