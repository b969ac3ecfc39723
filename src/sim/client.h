// Client: somebody who wants random transactions, one after another, and tries each again, with the
// same transaction id, until it knows what became of it.
//
// It talks to whichever node it thinks leads, changes its mind, keeps transactions open for a
// while, and gives up waiting for an answer. What it does follows from its seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/prng.h"
#include "sim/group.h"
#include "sim/oracle.h"
#include "sim/spec.h"
#include "txn/transaction.h"

namespace quorate::sim {

// What clients do, in percent unless said otherwise.
struct Workload {
  std::uint64_t serializable = 50;
  std::uint64_t partial = 15;  // Not atomic.
  std::uint64_t read_only = 5;
  std::uint64_t repositories = 3;  // Created or deleted.
  std::uint64_t unchanged = 12;    // They only assert, or write what is there.
  std::uint64_t pack_only = 3;
  std::uint64_t heads = 10;
  std::uint64_t assertions = 10;
  std::uint64_t configs = 15;
  std::uint64_t keys = 30;
  std::uint64_t range_reads = 40;  // Of reads.
  std::uint64_t own_reads = 40;    // Of serializable ones: by the transaction's own calls.
  std::uint64_t same_values = 5;   // Of writes: what is there already.
  std::uint64_t packs = 40;
  std::uint64_t blind = 25;           // Writes without an expected value.
  std::uint64_t given_up = 2;         // Of commits under way, each turn: cancelled or given up,
  std::uint64_t impatient = 3;        // or tried again at once.
  std::uint64_t abandoned = 6;        // Dropped by the client before the commit.
  std::uint64_t beside_the_log = 30;  // Of packs.
};

// What a transaction that begins at `snapshot` may want.
class SpecMaker {
 public:
  SpecMaker(const Workload& workload, Prng& prng) : workload_(workload), prng_(prng) {}

  // `fresh_object` is a name that nobody used.
  Spec Make(const txn::Snapshot& snapshot, const std::string& fresh_object);
  Read SomeRead();

 private:
  bool Chance(std::uint64_t percent) { return prng_.Below(100) < percent; }
  std::string SomeName();
  RepositoryId SomeRepository() { return RepositoryId{prng_.OneIn(5) ? 2UL : 1UL}; }
  void AddReads(Spec& spec);
  void AddNothingNew(Spec& spec, RepositoryId repository);
  void AddRefs(Spec& spec, const std::string& fresh_object);
  void AddRef(Spec& spec, const std::string& name, const std::string& fresh_object);
  template <class Write>
  bool ChooseValue(Write& write, const Value& found);
  void AddConfigs(Spec& spec, RepositoryId repository);
  void AddKeys(Spec& spec);
  void AddAssertion(Spec& spec, RepositoryId repository);
  std::string AddPack(Spec& spec, RepositoryId repository, const std::string& parent,
                      const std::string& fresh_object);
  std::string KnownObject(RepositoryId repository);
  Value Found(const std::string& key) const;

  const Workload& workload_;
  Prng& prng_;
  Contents seen_;
};

class Client {
 public:
  // All outlive it, but for callbacks that come late.
  Client(std::string name, const Workload& workload, Group& group, Oracle& oracle,
         std::uint64_t seed);

  // One turn. While `finishing`, nothing new is begun.
  void Step(bool finishing);
  // Wants this next. REQUIRES: idle().
  void Want(Spec spec);
  // It wants nothing and waits for nothing.
  bool idle() const { return intent_ == nullptr && !reading_; }
  std::string DebugString() const;

 private:
  enum class Phase { kBegin, kOpen, kWaiting };

  void DropWhatDied();
  void MoveHouse(bool finishing);
  ReplicaId ChooseNode();
  void WantSomething();
  void Begin();
  Status StagePacks(txn::Transaction& transaction);
  void Commit();
  void LoseInterest();
  void TryAgainAtOnce();
  void AskForRead();
  bool ReadAtOnce(const Read& read);
  void OnAnswer(const Result<txn::CommitOutcome>& answer);
  void Done();
  void Retry();

  const std::string name_;
  Workload workload_;
  Group& group_;
  Oracle& oracle_;
  Prng prng_;
  std::optional<ReplicaId> home_;  // Sees no other node.

  Intent* intent_ = nullptr;
  Phase phase_ = Phase::kBegin;
  int tries_ = 0;
  ReplicaId at_;            // The node of the current attempt or read,
  std::uint64_t life_ = 0;  // and which of its lives.
  std::optional<txn::Transaction> open_;
  std::optional<txn::TransactionManager::PendingCommit> pending_;  // While waiting.
  std::size_t attempt_ = 0;
  int turns_waited_ = 0;
  bool reading_ = false;
  std::uint64_t read_number_ = 0;
  int objects_made_ = 0;
};

}  // namespace quorate::sim
