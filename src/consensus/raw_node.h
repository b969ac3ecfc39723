// RawNode: one replica of one Raft group, without disk, network, threads or clock.
//
// The host feeds it ticks, messages and proposals, and carries out what comes back as a Ready:
// write, send, apply. The engine behind it is a Rust library (engine/README.md); its guards are
// documented there and tested here.
//
// The ready loop, which must be kept to (see README.md for why):
//   1. for each finished write, in order: OnPersist(number), then send that Ready's
//      persisted_messages; if it had a checkpoint, AdvanceApplyTo(checkpoint position) between
//   2. for each committed entry applied: ApplyConfChange() if it is one, at its place, then
//      AdvanceApplyTo()
//   3. Step(), Propose() (all waiting payloads in one call), ReadIndex(), Tick()
//   4. while HasReady(): TakeReady(); send `messages`; make checkpoint, entries and hard state
//      readable through Storage and queue them as ONE atomic write, in order; queue `committed`;
//      AdvanceAppend(), before any other call on this node
//
// Thread: one at a time, any. The host's strand is that.
//
// Failure: a panic in the engine or a wrong answer of Storage fences this replica: the call fails
// with kCorruption, poisoned() is true, every later call fails alike, nothing that the last call
// returned may be acted on. Other replicas of the process go on. To recover, drop the RawNode and
// open another over the same disk. No exception leaves this class.
#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "consensus/conf_state.h"
#include "consensus/entry.h"
#include "consensus/message.h"
#include "consensus/storage.h"

namespace quorate::consensus {

enum class Role : std::uint8_t { kFollower = 0, kCandidate = 1, kLeader = 2, kPreCandidate = 3 };
std::string_view RoleName(Role role);

enum class LogLevel : std::uint8_t { kCritical = 1, kError, kWarning, kInfo, kDebug, kTrace };
using LogSink = absl::AnyInvocable<void(LogLevel, std::string_view)>;

struct UnsafeOptions;
namespace internal {
struct ReadyBufferFree {
  void operator()(void* buffer) const;
};
}  // namespace internal

// PreVote and CheckQuorum are always on; append batching in the engine and lease reads are always
// off: each of them was shown to lose what was promised.
struct RawNodeOptions {
  ReplicaId id;
  Lsn applied;  // The durable applied LSN of the state machine.

  // An election starts after [election_ticks, 2 * election_ticks) ticks without a leader.
  std::uint32_t election_ticks = 10;
  std::uint32_t heartbeat_ticks = 2;

  // Per peer: appends not yet answered. They count messages; the bytes they may pin are this times
  // message_bytes_max.
  std::uint32_t inflight_messages_max = 64;
  std::uint64_t message_bytes_max = 1 << 20;  // Entries in one append; at least one.
  // Propose() answers kUnavailable beyond this many bytes that are not committed yet; one entry is
  // always let in. REQUIRES: >= message_bytes_max.
  std::uint64_t uncommitted_bytes_max = 16 << 20;
  std::uint64_t committed_bytes_per_ready_max = 4 << 20;

  // Whether a leader sends its new commit index at once, in messages of its own. Else it goes with
  // the next entries, with a heartbeat, or with the answer to a read; with a change of the
  // configuration it is always sent at once.
  bool announce_commits = true;

  // 0: election timeouts are random. Otherwise they follow from the seed, and with them everything
  // this replica does follows from its input.
  std::uint64_t seed = 0;
};

struct SoftState {
  Role role = Role::kFollower;
  ReplicaId leader;  // 0 is none.
};

// What the host must do next. Owns all it shows: the views live as long as the Ready, on any
// thread, also after the RawNode is gone.
struct Ready {
  std::uint64_t number = 0;  // For OnPersist().
  bool must_sync = false;    // Else the write may be lost, but must still keep its place in order.
  std::optional<HardState> hard_state;
  std::optional<SoftState> soft_state;    // Role or leader changed.
  std::optional<Checkpoint> checkpoint;   // Install before `entries`: replaces log and state.
  std::vector<EntryView> entries;         // Append, truncating at the first one's LSN.
  std::vector<EntryView> committed;       // Apply, in order. Synced here already.
  std::vector<OutgoingMessage> messages;  // Send at once.
  std::vector<OutgoingMessage> persisted_messages;  // Send after OnPersist(number).
  std::vector<ReadState> reads;

  std::unique_ptr<void, internal::ReadyBufferFree> buffer;  // Behind the views.
};

struct NodeStatus {
  ReplicaId id;
  Term term;
  std::uint64_t vote = 0;
  Role role = Role::kFollower;
  ReplicaId leader;      // 0 is none.
  ReplicaId transferee;  // 0 is none: where leadership is being handed.
  Lsn commit;
  Lsn applied;
  Lsn persisted;
  Lsn last;
  Lsn pending_conf_lsn;
  std::uint64_t uncommitted_bytes = 0;
  std::uint64_t pending_reads = 0;
  bool promotable = false;  // A voter that may campaign.
  bool joint = false;
  std::uint32_t election_elapsed_ticks = 0;
  std::uint32_t election_timeout_ticks = 0;
};

enum class ProgressState : std::uint8_t { kProbe = 0, kReplicate = 1, kSnapshot = 2 };

struct PeerProgress {
  ReplicaId id;
  Lsn matched;
  Lsn next;
  Lsn committed;
  Lsn pending_snapshot;  // In kSnapshot: the checkpoint's LSN.
  ProgressState state = ProgressState::kProbe;
  bool paused = false;
  bool recent_active = false;
  bool learner = false;
};

class RawNode {
 public:
  // `storage` must outlive the node. `log` gets the engine's notes, at most at kInfo level.
  //   kInvalidArgument  the options contradict each other
  //   kCorruption       what is stored does not fit together (commit or applied beyond the log)
  static Result<RawNode> Open(const RawNodeOptions& options, Storage& storage, LogSink log);

  // For tests that show why the unsafe settings are unsafe.
  static Result<RawNode> OpenUnsafe(const RawNodeOptions& options, const UnsafeOptions& unsafe,
                                    Storage& storage, LogSink log);

  ~RawNode();
  RawNode(RawNode&& other) noexcept;
  RawNode& operator=(RawNode&& other) noexcept;

  // --- Input ---

  // Does nothing on a sole voter that has unsynced entries, which could not elect itself yet.
  Status Tick();

  // Takes a peer's message.
  //   kNotFound         an answer of a replica outside the configuration
  //   kInvalidArgument  not a message, not for this replica, or of a kind that must not come from
  //                     peers (a forwarded proposal)
  // Both are to be counted and dropped.
  Status Step(std::string_view message);

  // Starts an election now. kUnavailable on a sole voter that has unsynced entries.
  Status Campaign();

  // Appends one entry for each payload, next to each other; returns the first one's position.
  //   kNotLeader    nothing was done; status().leader may know better
  //   kUnavailable  nothing was done: leadership is being handed over, or uncommitted_bytes_max
  Result<Position> Propose(std::span<const std::string_view> payloads);

  // As Propose(). kConflict: nothing was done, because a change is pending, the group is (or is
  // not) in a joint configuration, or the leader itself would stop being a voter.
  Result<Position> ProposeConfChange(const ConfChange& change);

  // For every committed entry that is a configuration change, also one with empty data, at its
  // place in the order of application and before AdvanceApplyTo() covers it. Returns the new
  // configuration, to be stored with the applied LSN. A leader that is no voter in it steps down.
  //   kConflict  the change does not fit the configuration; every replica gets this same answer,
  //              the configuration stays as it was
  Result<ConfState> ApplyConfChange(EntryType type, std::string_view data);

  // Asks for the LSN at which a read is linearizable; answered in Ready::reads, or never (lost
  // messages, lost leadership), so set a deadline and ask again. `context` must be unique for ever
  // in the group, retries included: a repeated one may be answered with an old LSN.
  //   kNotLeader    no leader is known
  //   kUnavailable  the leader has not committed in its term yet
  Status ReadIndex(std::string_view context);

  // Hands leadership to `to`; proposals fail with kUnavailable until it is done or one election
  // timeout has passed. kUnavailable if `to` cannot take it.
  Status TransferLeader(ReplicaId to);

  // The transport could not deliver to `peer`.
  Status ReportUnreachable(ReplicaId peer);
  // A message with is_snapshot is done with: installed, or failed. Must be called for each one, or
  // the peer is sent nothing any more.
  Status ReportSnapshot(ReplicaId peer, bool failed);
  // Follower: asks the leader for a checkpoint, because local data is damaged.
  Status RequestCheckpoint();

  // Leader: a heartbeat to all, now.
  Status Ping();
  // Frees idle buffers before hibernation.
  Status TrimMemory();

  // --- Output ---

  // False also when poisoned.
  bool HasReady() const;
  // REQUIRES: HasReady(), and AdvanceAppend() was called for the one before; else
  // kInvalidArgument.
  Result<Ready> TakeReady();
  Status AdvanceAppend();
  // The writes of this Ready and of all before it are durable.
  Status OnPersist(std::uint64_t number);
  // kInvalidArgument, and nothing done, if `applied` goes back, or beyond what is committed and
  // persisted here.
  Status AdvanceApplyTo(Lsn applied);

  NodeStatus status() const;                     // Zeroes when poisoned.
  Result<std::vector<PeerProgress>> Progress();  // kNotLeader on others.

  bool poisoned() const;
  const std::string& poison_reason() const;  // Empty while it is not.

  // For tests: panics inside the engine, which must fence this replica and nothing else.
  Status PanicForTest();

 private:
  struct State;
  explicit RawNode(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace quorate::consensus
