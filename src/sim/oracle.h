// Oracle: watches a run from outside and says at which step it went wrong.
//
// Clients tell it what they want, what they read and what they were answered; logs tell it what
// they append and commit. It judges at once:
//   raft       no term has two leaders; no two replicas (or lives of one) commit different entries
//              at an LSN; entries are committed without gaps; no replica is fenced
//   reads      a read finds what the model has at its LSN; a barrier, and so a read, contains all
//              that was committed or acknowledged before it was asked for, and so does what a
//              replica calls current
//   model      a committed transaction may stand where it stands (Judge)
//   answers    acknowledged means committed, where it was said; refused means not committed, ever;
//              no transaction is committed twice; what is called unchanged would change nothing at
//              some point between question and answer
//   refusals   who lost had somebody to lose to (Refusals); what cannot be staged, the snapshot
//              forbids
//   consumers  what a consumer reads is what the model says has changed, nothing left out; nobody
//              is cut off too early
//   graph      the whole history has a serial order (SerialGraph); at the end
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "sim/model.h"
#include "sim/observed_log.h"
#include "sim/refusals.h"
#include "sim/spec.h"
#include "sim/trace.h"
#include "txn/changes.h"
#include "txn/transaction_manager.h"

namespace quorate::sim {

struct Violation {
  std::string checker;  // "raft", "model" ...
  std::string what;
};

// One try to commit an intent. A client that does not hear, or hears that nothing was done, tries
// again with the same transaction id.
struct Attempt {
  enum class Fate { kOpen, kCommitted, kUnchanged, kRefused, kUnknown };
  ReplicaId at;
  Lsn snapshot;
  Lsn asked{};  // What was committed at the call of Commit().
  std::uint64_t began = 0;
  Fate fate = Fate::kOpen;
};

struct Intent {
  std::string name;  // "c2.14": the client's fourteenth.
  std::string id;    // The transaction's, 16 bytes.
  Spec spec;
  std::deque<Attempt> attempts{};
  std::optional<Lsn> lsn{};           // Of its entry,
  std::size_t committed_attempt = 0;  // which one that was,
  std::vector<bool> refs_left_out{};  // and what the model says it had to leave out.
  std::uint64_t answered = 0;         // Step; 0: nobody was told of the commit.

  // "c2.14#1": what the log calls an attempt, as the actor.
  std::string ActorOf(std::size_t attempt) const;
};

class Oracle final : public LogObserver {
 public:
  struct Rules {
    bool judge_reads = true;  // False: what transactions read is left to the graph.
    std::uint64_t consumer_entries_max = UINT64_MAX;
  };
  explicit Oracle(const Rules& rules) : rules_(rules) {}

  // Before anything else; outlives it.
  void SetTrace(Trace& trace) { trace_ = &trace; }

  const std::optional<Violation>& violation() const { return violation_; }
  void Violate(std::string checker, std::string what);

  // --- Clients ---

  Intent& NewIntent(const std::string& client, Spec spec);
  // The transaction has begun; checks what it reads.
  std::size_t BeginAttempt(Intent& intent, ReplicaId at, const txn::Snapshot& snapshot);
  // Its snapshot alone refuses it.
  void CannotStage(Intent& intent, std::size_t attempt, const Error& error);
  // Before Commit(). Then, of the outcome:
  void Ask(Intent& intent, std::size_t attempt);
  void Answer(Intent& intent, std::size_t attempt, const Result<txn::CommitOutcome>& answer);
  // The client will not hear: its process or the other's is gone.
  void Lose(Intent& intent, std::size_t attempt);
  // The client dropped the transaction before its commit.
  void Abandon(Intent& intent, std::size_t attempt);
  // The id is said to be committed already; `found` is what a snapshot says of it.
  void Resolve(Intent& intent, const Result<std::optional<txn::CommittedTransaction>>& found);

  // What a linearizable read that is asked for now must contain: of one that waits, and of one that
  // is answered at once.
  Lsn ReadFloor() const { return acknowledged_; }
  Lsn CurrentFloor() const { return model_.lsn(); }
  void CheckRead(const txn::Snapshot& snapshot, Lsn floor, const Read& read);
  // What a consumer of `repository` that stands at `after` was given there.
  void CheckChanges(ReplicaId at, const txn::Snapshot& snapshot, RepositoryId repository, Lsn after,
                    std::size_t count_max, const Result<std::vector<txn::CommittedChange>>& given);

  // --- At any time ---

  // A replica's whole state against the model, and against other replicas by `hash`.
  void CheckState(ReplicaId at, const txn::Snapshot& snapshot, std::uint64_t hash);

  // --- The end ---

  void CheckHistory();
  // What `snapshot` says of all ids.
  void CheckTransactionIds(ReplicaId at, const txn::Snapshot& snapshot);

  const Model& model() const { return model_; }
  const std::deque<Intent>& intents() const { return intents_; }
  Lsn acknowledged() const { return acknowledged_; }  // The highest.

  struct Totals {
    std::uint64_t committed = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t reads = 0;
    std::uint64_t current_reads = 0;  // Of these: answered at once.
    std::uint64_t changes_read = 0;   // By consumers.
    std::uint64_t cut_off = 0;
    std::uint64_t leaderships = 0;
    std::uint64_t retried = 0;
  };
  const Totals& totals() const { return totals_; }
  void NoteCurrentRead() { ++totals_.current_reads; }

  // LogObserver:
  void OnAppended(ReplicaId at, Position position, const std::string& data) override;
  void OnCommitted(ReplicaId at, const consensus::Entry& entry) override;
  void OnLeading(ReplicaId at, Term term, Lsn no_op) override;
  void OnFollowing(ReplicaId at, Term term, ReplicaId leader) override;
  void OnFenced(ReplicaId at, const Error& reason) override;
  Lsn BarrierFloor() override { return model_.lsn(); }
  void OnBarrier(ReplicaId at, Lsn floor, Lsn answer) override;

 private:
  struct Committed {
    Term term;
    std::string data;
    Intent* intent = nullptr;
    bool cuts_off = false;
  };

  void AnswerRefused(Intent& intent, std::size_t attempt, const Error& error);
  void CheckUnchanged(const Intent& intent, const Attempt& attempt,
                      const txn::CommitOutcome& outcome);
  void CheckLeftOut(const Intent& intent, const Attempt& attempt,
                    const txn::CommitOutcome& outcome);

  void NoteLeader(Term term, ReplicaId at);
  Refusals::Writer WriterOf(const std::string& data) const;
  void Replay(const consensus::Entry& entry);
  void ReplayCutOff(Lsn lsn, const Refusals::Writer& writer);

  const Rules rules_;
  Trace* trace_ = nullptr;
  std::optional<Violation> violation_;
  std::uint64_t step_ = 0;

  std::deque<Intent> intents_;       // Pointers stay.
  std::map<std::string, int> made_;  // By client.
  std::map<std::string, std::pair<Intent*, std::size_t>, std::less<>> by_actor_;

  std::map<Lsn, Committed> log_;
  std::map<Term, ReplicaId> leaders_;
  std::map<Lsn, std::uint64_t> state_hashes_;
  Model model_;
  Refusals refusals_{model_};
  Lsn acknowledged_;
  Totals totals_;
};

}  // namespace quorate::sim
