// Replica is one member of a Raft group: a LogManager whose entries are committed once a majority
// of the configured voters has them on disk.
//
// It feeds the engine (consensus::RawNode) with proposals, messages and ticks, and carries out what
// the engine wants: write (log::LogStore), send (Transport), hand over what is committed
// (log::StateMachine). The order in which it does so is the safety of the whole; README.md has it.
//
// Strand: the partition's; every call is made on it and every callback comes on it. It has no
// thread and no timer: time is Tick(), which the owner calls for all its replicas from one timer.
// Nothing here waits, except Start(), and reads of old entries: for a peer that lags behind the
// cache, or when a machine that lagged behind the commits has caught up.
//
// Failure: a panic of the engine, or a log that cannot be read, fences this one replica: OnFenced,
// once, then silence; every call is refused. Others go on. To recover, open another Replica.
//
// After a crash: what was promised to peers (votes, entries) is still there, because no promise
// leaves before its write is durable.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "consensus/conf_state.h"
#include "consensus/raw_node.h"
#include "env/logger.h"
#include "env/metrics.h"
#include "env/random.h"
#include "env/strand.h"
#include "log/log_manager.h"
#include "log/log_store.h"
#include "raft/internal/delivery_window.h"
#include "raft/internal/log_view.h"
#include "raft/internal/persist_queue.h"
#include "raft/internal/unsafe_options.h"
#include "raft/read_queue.h"
#include "raft/transport.h"

namespace quorate::raft {

struct ReplicaOptions {
  // An election starts after [election_ticks, 2 * election_ticks) ticks without a leader. Must be
  // well above the slowest sync: answers to heartbeats queue behind it.
  std::uint32_t election_ticks = 10;
  std::uint32_t heartbeat_ticks = 2;

  // Towards each peer: messages_max * bytes_max may be under way.
  std::uint32_t inflight_messages_max = 64;
  std::size_t message_bytes_max = 1 << 20;

  std::size_t uncommitted_bytes_max = 64 << 20;  // Append() refuses beyond; one entry always fits.
  std::size_t committed_bytes_per_ready_max = 4 << 20;
  // Handed to the machine and not applied by it; more stays in the log and is read again. One entry
  // always fits.
  std::size_t unapplied_bytes_max = 64 << 20;
  std::size_t cache_bytes_max = 8 << 20;  // Of entries that are durable already.
  // A replica that does not lead hands committed entries to the machine when there are so many, or
  // so many bytes of them: a batch costs a fraction of what its entries cost one by one. Sooner
  // when a heartbeat comes or somebody reads.
  std::size_t gathered_entries_max = 64;
  std::size_t gathered_bytes_max = 256 << 10;

  ReadQueueOptions reads{};

  std::uint64_t seed = 0;  // Not 0: elections follow from it. For simulation.
  internal::UnsafeOptions testing{};
};

class Replica final : public log::LogManager {
 public:
  // What a replica lives among; everything outlives it.
  struct Environment {
    env::Strand& strand;
    log::LogStore& logs;
    Transport& transport;
    env::Random& random;
    env::Logger& logger;
    env::Metrics& metrics;
  };

  // The partition was bootstrapped in `logs`.
  Replica(PartitionId partition, const Environment& environment, const ReplicaOptions& options);

  // After Stop() was done, or when its process is meant to have crashed: completions of its writes
  // that come later find nobody.
  ~Replica() override;

  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Reads what is stored, and blocks for it. A sole voter makes itself leader at once.
  Status Start(log::StateMachine& machine, Position applied) override;
  Result<Position> Append(std::string data) override;
  void Applied(Lsn lsn) override;
  void ReadBarrier(ReadDone done) override;
  // A leader past its fence that is the only member, with no change of that on its way.
  bool CommitsAlone() const override { return commits_alone_.load(); }

  // Drops entries only as far as every member is known to have them on its disk. A leader knows;
  // the others learn where its log begins, and follow it. (To be widened once a member that is too
  // far behind can be sent a checkpoint.)
  void Compact(Lsn lsn) override;

  // If it leads, hands over to another voter, and tries again with each tick. It may be elected
  // again by a timeout, where nobody else was quicker, and then does the same.
  void Resign() override;
  log::LogStatus status() const override;

  // Waits for writes that are under way; their messages stay unsent.
  void Stop(Callback<> done) override;

  // A message for this replica. One that is not for it, not from a replica of its group, or not
  // readable is counted and dropped.
  void Step(const Message& message);

  // Time passes. A replica that does not want ticks may be left without.
  void Tick();
  bool WantsTicks() const;

  // Starts an election now. Nothing happens on the leader.
  Status Campaign();

  // Hands leadership to `to`. Append() fails with kUnavailable until that is done, or given up
  // after an election timeout. kNotLeader; kUnavailable if `to` cannot take it.
  Status TransferLeadership(ReplicaId to);

  // Appends a change of the configuration; it takes effect, on each replica, where its entry stands
  // in the order of application. Refused as Append() is, and with kConflict: a change is pending,
  // it does not fit, or it would take the vote of this leader.
  Result<Position> ProposeConfChange(const consensus::ConfChange& change);

 private:
  struct Leadership {
    Term term;
    Lsn no_op;               // Our first entry in this term.
    bool announced = false;  // OnLeading() was called.
  };
  // Proposals of one burst, not yet shown to the engine.
  struct Burst {
    Position first;
    std::vector<std::string> payloads;
    std::size_t bytes = 0;
  };
  struct Counters {
    env::Counter& dropped_foreign;
    env::Counter& dropped_invalid;
    env::Counter& dropped_checkpoint;
    env::Counter& dropped_resigned;
    env::Counter& leaderships;
    env::Counter& fences;
  };

  bool running() const QUORATE_REQUIRES(strand_);
  Status CheckRunning() const QUORATE_REQUIRES(strand_);
  bool sole_voter() const QUORATE_REQUIRES(strand_);
  bool alone() const QUORATE_REQUIRES(strand_);  // The only member there is.

  // Start()
  Status Open(Position applied) QUORATE_REQUIRES(strand_);

  // Input
  Status CheckMayPropose(const consensus::NodeStatus& now) const QUORATE_REQUIRES(strand_);
  Status FlushBurst() QUORATE_REQUIRES(strand_);
  void ApplyTo(Lsn lsn) QUORATE_REQUIRES(strand_);
  Status ApplyConfChanges(Lsn upto) QUORATE_REQUIRES(strand_);
  void SaveConfState(Lsn lsn) QUORATE_REQUIRES(strand_);
  bool MustWriteHardState(const consensus::Ready& ready) const QUORATE_REQUIRES(strand_);
  void OnPersisted();
  void SettleDurable() QUORATE_REQUIRES(strand_);
  Lsn CompactionFloor() QUORATE_REQUIRES(strand_);

  // The ready loop
  void ScheduleDrain() QUORATE_REQUIRES(strand_);
  void Drain();
  Status HandleReady() QUORATE_REQUIRES(strand_);
  void Send(std::vector<consensus::OutgoingMessage> messages) QUORATE_REQUIRES(strand_);
  void Persist(consensus::Ready& ready) QUORATE_REQUIRES(strand_);
  void PersistApart(const std::optional<consensus::HardState>& hard_state);
  void Deliver(std::span<const consensus::EntryView> committed) QUORATE_REQUIRES(strand_);
  bool Gathers() const QUORATE_REQUIRES(strand_);
  void DeliverUpTo(Lsn lsn) QUORATE_REQUIRES(strand_);
  Status DeliverHeldBack() QUORATE_REQUIRES(strand_);
  void AnswerReads(const std::vector<consensus::ReadState>& reads) QUORATE_REQUIRES(strand_);
  bool AskForReads() QUORATE_REQUIRES(strand_);
  bool CampaignIfAlone() QUORATE_REQUIRES(strand_);

  // Roles
  Status NoteRole(const consensus::NodeStatus& now, std::span<const consensus::EntryView> appended)
      QUORATE_REQUIRES(strand_);
  void HandOver() QUORATE_REQUIRES(strand_);
  void AnnounceLeading() QUORATE_REQUIRES(strand_);
  void LoseLeadership(const consensus::NodeStatus& now) QUORATE_REQUIRES(strand_);
  void NoteWhetherAlone() QUORATE_REQUIRES(strand_);

  // False, and the replica fenced, if `status` is an error.
  bool Survives(const Status& status) QUORATE_REQUIRES(strand_);
  void Fence(const Error& reason) QUORATE_REQUIRES(strand_);
  void FinishStop() QUORATE_REQUIRES(strand_);

  const PartitionId partition_;
  env::Strand& strand_;
  log::LogStore& logs_;
  Transport& transport_;
  env::Random& random_;
  env::Logger& logger_;
  const ReplicaOptions options_;
  const Counters counters_;

  // Tasks on their way to the strand hold a weak one: they find out that the replica is gone.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);

  log::StateMachine* machine_ QUORATE_GUARDED_BY(strand_) = nullptr;  // Null before Start().
  log::Identity identity_ QUORATE_GUARDED_BY(strand_);
  internal::LogView view_ QUORATE_GUARDED_BY(strand_);
  mutable std::optional<consensus::RawNode> node_ QUORATE_GUARDED_BY(strand_);
  ReadQueue reads_ QUORATE_GUARDED_BY(strand_);

  Burst burst_ QUORATE_GUARDED_BY(strand_);
  consensus::HardState hard_state_ QUORATE_GUARDED_BY(strand_);    // As of the newest ready.
  consensus::HardState hard_written_ QUORATE_GUARDED_BY(strand_);  // Handed to the store.
  internal::PersistQueue persists_ QUORATE_GUARDED_BY(strand_);
  std::size_t writes_under_way_ QUORATE_GUARDED_BY(strand_) = 0;
  bool drain_posted_ QUORATE_GUARDED_BY(strand_) = false;

  consensus::ConfState conf_ QUORATE_GUARDED_BY(strand_);
  Lsn conf_known_ QUORATE_GUARDED_BY(strand_);  // conf_ as stored had every change up to here.
  Lsn conf_saved_ QUORATE_GUARDED_BY(strand_);  // Last SaveConfState().
  std::size_t unsaved_bytes_ QUORATE_GUARDED_BY(strand_) = 0;  // Of entries applied since then.
  std::deque<consensus::Entry> conf_changes_ QUORATE_GUARDED_BY(strand_);  // Not yet applied.
  Lsn conf_proposed_ QUORATE_GUARDED_BY(strand_);  // Our newest change; perhaps not committed yet.

  internal::DeliveryWindow window_ QUORATE_GUARDED_BY(strand_);  // What the machine was handed.
  Lsn deliver_upto_ QUORATE_GUARDED_BY(strand_);                 // Without waiting for more.
  std::size_t gathered_bytes_ QUORATE_GUARDED_BY(strand_) = 0;   // Of what is held back, or more.
  Lsn machine_applied_ QUORATE_GUARDED_BY(strand_);              // The machine has applied these.
  Lsn everywhere_ QUORATE_GUARDED_BY(strand_);  // Every member has these, as others told.

  bool campaign_at_start_ QUORATE_GUARDED_BY(strand_) = false;
  std::optional<Leadership> leading_ QUORATE_GUARDED_BY(strand_);
  std::atomic<bool> commits_alone_{false};  // Written on the strand.
  bool resigned_ QUORATE_GUARDED_BY(strand_) = false;
  bool hand_over_due_ QUORATE_GUARDED_BY(strand_) = false;
  std::vector<ReplicaId> asked_to_lead_ QUORATE_GUARDED_BY(strand_);  // In this leadership.
  Term seen_term_ QUORATE_GUARDED_BY(strand_);         // What OnFollowing() told last.
  ReplicaId seen_leader_ QUORATE_GUARDED_BY(strand_);  // 0 while leading.

  std::optional<Error> fenced_ QUORATE_GUARDED_BY(strand_);
  bool stopping_ QUORATE_GUARDED_BY(strand_) = false;
  std::optional<Callback<>> stopped_ QUORATE_GUARDED_BY(strand_);
};

}  // namespace quorate::raft
