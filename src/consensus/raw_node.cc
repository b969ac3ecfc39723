#include "consensus/raw_node.h"

#include <fmt/format.h>
#include <quorate_raft.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "consensus/internal/storage_bridge.h"
#include "consensus/unsafe_options.h"

namespace quorate::consensus {
namespace {

using internal::ToSlice;
using internal::ToView;

std::string LastEngineError() {
  return std::string(ToView(qr_last_error()));
}

void StartEngine() {
  static const bool started = [] {
    QUORATE_CHECK(qr_abi_version() == QR_ABI_VERSION);
    qr_init();
    return true;
  }();
  QUORATE_CHECK(started);
}

void AppendTo(void* out, qr_slice bytes) {
  static_cast<std::string*>(out)->append(ToView(bytes));
}

qr_config EngineConfig(const RawNodeOptions& options, const UnsafeOptions& unsafe) {
  qr_config config{};
  config.id = options.id.value;
  config.applied = options.applied.value;
  config.election_tick = options.election_ticks;
  config.heartbeat_tick = options.heartbeat_ticks;
  config.max_inflight_msgs = options.inflight_messages_max;
  config.pre_vote = unsafe.pre_vote;
  config.check_quorum = unsafe.check_quorum;
  config.lease_read = unsafe.lease_read;
  config.batch_append = unsafe.batch_append;
  config.skip_bcast_commit = !options.announce_commits;
  config.allow_remove_leader = unsafe.allow_remove_leader;
  config.max_size_per_msg = options.message_bytes_max;
  config.max_uncommitted_size = options.uncommitted_bytes_max;
  config.max_committed_size_per_ready = options.committed_bytes_per_ready_max;
  config.seed = options.seed;
  return config;
}

// What a caller may do about an engine status. QR_POISONED and QR_STORAGE are not asked here.
Code CodeOf(int status) {
  switch (status) {
    case QR_NOT_LEADER:
      return Code::kNotLeader;
    case QR_DROPPED:
    case QR_TRANSFERRING:
      return Code::kUnavailable;
    case QR_PEER_NOT_FOUND:
      return Code::kNotFound;
    case QR_CONF_REFUSED:
      return Code::kConflict;
    case QR_REFUSED_MSG:
    case QR_BAD_MESSAGE:
    case QR_CONFIG_INVALID:
    case QR_BAD_ARG:
    case QR_NO_READY:
      return Code::kInvalidArgument;
    default:
      return Code::kInternal;
  }
}

// Statuses that the engine gives without a text of their own.
std::string MessageOf(int status) {
  switch (status) {
    case QR_NOT_LEADER:
      return "not the leader";
    case QR_TRANSFERRING:
      return "leadership is being handed over";
    case QR_NO_READY:
      return "nothing is ready";
    default:
      return LastEngineError();
  }
}

std::vector<EntryView> ToEntries(const qr_entry* entries, std::size_t count) {
  std::vector<EntryView> out;
  out.reserve(count);
  for (const qr_entry& entry : std::span(entries, count)) {
    out.push_back({Lsn{entry.index}, Term{entry.term}, static_cast<EntryType>(entry.type),
                   ToView(entry.data)});
  }
  return out;
}

std::vector<OutgoingMessage> ToMessages(const qr_msg* messages, std::size_t count) {
  std::vector<OutgoingMessage> out;
  out.reserve(count);
  for (const qr_msg& message : std::span(messages, count)) {
    out.push_back(
        {.to = ReplicaId{message.to},
         .type = message.type,
         .term = Term{message.term},
         .lsn = Lsn{message.index},
         .entry_count = message.n_entries,
         .bytes = std::string(ToView(message.bytes)),
         .is_snapshot = message.type == static_cast<std::uint32_t>(MessageType::kSnapshot)});
  }
  return out;
}

// Takes over `view.handle`.
Result<Ready> ToReady(const qr_ready_view& view) {
  Ready ready;
  ready.buffer.reset(view.handle);
  ready.number = view.number;
  ready.must_sync = view.must_sync != 0;
  if (view.has_hs != 0) {
    ready.hard_state = HardState{Term{view.hs.term}, ReplicaId{view.hs.vote}, Lsn{view.hs.commit}};
  }
  if (view.has_ss != 0) {
    ready.soft_state = SoftState{static_cast<Role>(view.role), ReplicaId{view.leader}};
  }
  if (view.has_snapshot != 0) {
    ready.checkpoint = QUORATE_TRY(Checkpoint::Decode(ToView(view.snapshot)));
  }
  ready.entries = ToEntries(view.entries, view.n_entries);
  ready.committed = ToEntries(view.committed, view.n_committed);
  ready.messages = ToMessages(view.msgs, view.n_msgs);
  ready.persisted_messages = ToMessages(view.persisted_msgs, view.n_persisted_msgs);
  for (const qr_read& read : std::span(view.reads, view.n_reads)) {
    ready.reads.push_back({Lsn{read.index}, std::string(ToView(read.ctx))});
  }
  return ready;
}

PeerProgress ToProgress(const qr_progress_t& peer) {
  return {.id = ReplicaId{peer.id},
          .matched = Lsn{peer.matched},
          .next = Lsn{peer.next},
          .committed = Lsn{peer.committed},
          .pending_snapshot = Lsn{peer.pending_snapshot},
          .state = static_cast<ProgressState>(peer.state),
          .paused = peer.paused != 0,
          .recent_active = peer.recent_active != 0,
          .learner = peer.learner != 0};
}

// Decoded and in order: the engine lists members in the order of its hash sets.
Result<ConfState> DecodeSorted(std::string_view bytes) {
  ConfState state = QUORATE_TRY(ConfState::Decode(bytes));
  for (auto* list :
       {&state.voters, &state.learners, &state.voters_outgoing, &state.learners_next}) {
    std::sort(list->begin(), list->end());
  }
  return state;
}

}  // namespace

void internal::ReadyBufferFree::operator()(void* buffer) const {
  qr_ready_free(static_cast<qr_ready_buf*>(buffer));
}

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
    case Role::kPreCandidate:
      return "pre-candidate";
  }
  return "?";
}

// The engine holds pointers to this, so it stays where it is.
struct RawNode::State {
  State(Storage& storage, LogSink sink) : bridge(storage), log(std::move(sink)) {}
  ~State() { qr_free(node); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static void Log(void* self, int level, std::uint64_t, qr_slice text) noexcept {
    try {
      static_cast<State*>(self)->log(static_cast<LogLevel>(level), ToView(text));
    } catch (...) {  // A lost log line must not cost a replica.
    }
  }

  void Poison(std::string why) {
    poisoned = true;
    reason = std::move(why);
    if (!bridge.last_failure().empty()) {
      reason += fmt::format(" (storage: {})", bridge.last_failure());
    }
  }

  Error Fenced() const { return Error(Code::kCorruption, "replica is fenced: " + reason); }

  Status Check(int status) {
    if (status == QR_OK) {
      return Ok();
    }
    if (status == QR_POISONED || status == QR_STORAGE) {
      Poison(LastEngineError());
      return Fenced();
    }
    return Error(CodeOf(status), MessageOf(status));
  }

  // Every call goes through here: a fenced replica does not reach the engine any more.
  template <class Function, class... Arguments>
  Status Call(Function function, Arguments... arguments) {
    if (poisoned) {
      return Fenced();
    }
    return Check(function(node, arguments...));
  }

  internal::StorageBridge bridge;
  LogSink log;
  qr_node* node = nullptr;
  bool poisoned = false;
  std::string reason;
};

RawNode::RawNode(std::unique_ptr<State> state) : state_(std::move(state)) {
}
RawNode::~RawNode() = default;
RawNode::RawNode(RawNode&& other) noexcept = default;
RawNode& RawNode::operator=(RawNode&& other) noexcept = default;

Result<RawNode> RawNode::Open(const RawNodeOptions& options, Storage& storage, LogSink log) {
  return OpenUnsafe(options, UnsafeOptions{}, storage, std::move(log));
}

Result<RawNode> RawNode::OpenUnsafe(const RawNodeOptions& options, const UnsafeOptions& unsafe,
                                    Storage& storage, LogSink log) {
  StartEngine();
  if (options.id == ReplicaId{0}) {
    return Error(Code::kInvalidArgument, "a replica id must not be 0");
  }
  if (options.uncommitted_bytes_max < options.message_bytes_max) {
    return Error(Code::kInvalidArgument, "uncommitted_bytes_max is below message_bytes_max");
  }
  const bool logs = static_cast<bool>(log);
  auto state = std::make_unique<State>(storage, std::move(log));
  const qr_config config = EngineConfig(options, unsafe);
  const qr_storage callbacks = state->bridge.callbacks();
  const int status =
      qr_new(&config, &callbacks, logs ? &State::Log : nullptr, state.get(), &state->node);
  QUORATE_TRY(state->Check(status));
  return RawNode(std::move(state));
}

Status RawNode::Tick() {
  return state_->Call(qr_tick);
}

Status RawNode::Step(std::string_view message) {
  return state_->Call(qr_step, ToSlice(message));
}

Status RawNode::Campaign() {
  return state_->Call(qr_campaign);
}

Result<Position> RawNode::Propose(std::span<const std::string_view> payloads) {
  if (payloads.empty()) {
    return Error(Code::kInvalidArgument, "nothing to propose");
  }
  std::vector<qr_slice> slices;
  slices.reserve(payloads.size());
  for (const std::string_view payload : payloads) {
    slices.push_back(ToSlice(payload));
  }
  Position first;
  QUORATE_TRY(state_->Call(qr_propose, slices.data(), nullptr, slices.size(), &first.lsn.value,
                           &first.term.value));
  return first;
}

Result<Position> RawNode::ProposeConfChange(const ConfChange& change) {
  const std::string encoded = change.Encode();
  Position position;
  QUORATE_TRY(state_->Call(qr_propose_conf_change, ToSlice(encoded), qr_slice{nullptr, 0},
                           &position.lsn.value, &position.term.value));
  return position;
}

Result<ConfState> RawNode::ApplyConfChange(EntryType type, std::string_view data) {
  std::string encoded;
  QUORATE_TRY(state_->Call(qr_apply_conf_change, static_cast<std::uint32_t>(type), ToSlice(data),
                           qr_sink{&encoded, &AppendTo}));
  return DecodeSorted(encoded);
}

Status RawNode::ReadIndex(std::string_view context) {
  return state_->Call(qr_read_index, ToSlice(context));
}

Status RawNode::TransferLeader(ReplicaId to) {
  return state_->Call(qr_transfer_leader, to.value);
}

Status RawNode::ReportUnreachable(ReplicaId peer) {
  return state_->Call(qr_report_unreachable, peer.value);
}

Status RawNode::ReportSnapshot(ReplicaId peer, bool failed) {
  return state_->Call(qr_report_snapshot, peer.value, failed ? 1 : 0);
}

Status RawNode::RequestCheckpoint() {
  return state_->Call(qr_request_snapshot);
}

Status RawNode::Ping() {
  return state_->Call(qr_ping);
}

Status RawNode::TrimMemory() {
  return state_->Call(qr_trim_memory);
}

bool RawNode::HasReady() const {
  if (state_->poisoned) {
    return false;
  }
  const int status = qr_has_ready(state_->node);
  if (status == QR_POISONED) {
    state_->Poison(LastEngineError());
  }
  return status == QR_OK;
}

Result<Ready> RawNode::TakeReady() {
  qr_ready_view view{};
  QUORATE_TRY(state_->Call(qr_take_ready, &view));
  auto ready = ToReady(view);
  if (!ready) {
    state_->Poison(ready.error().message());
    return state_->Fenced();
  }
  return ready;
}

Status RawNode::AdvanceAppend() {
  return state_->Call(qr_advance_append);
}

Status RawNode::OnPersist(std::uint64_t number) {
  return state_->Call(qr_on_persist, number);
}

Status RawNode::AdvanceApplyTo(Lsn applied) {
  return state_->Call(qr_advance_apply_to, applied.value);
}

NodeStatus RawNode::status() const {
  qr_status_t status{};
  if (!state_->Call(qr_status, &status)) {
    return {};
  }
  return {.id = ReplicaId{status.id},
          .term = Term{status.term},
          .vote = status.vote,
          .role = static_cast<Role>(status.role),
          .leader = ReplicaId{status.leader},
          .transferee = ReplicaId{status.transferee},
          .commit = Lsn{status.commit},
          .applied = Lsn{status.applied},
          .persisted = Lsn{status.persisted},
          .last = Lsn{status.last_index},
          .pending_conf_lsn = Lsn{status.pending_conf_index},
          .uncommitted_bytes = status.uncommitted_size,
          .pending_reads = status.pending_reads,
          .promotable = status.promotable != 0,
          .joint = status.joint != 0,
          .election_elapsed_ticks = status.election_elapsed,
          .election_timeout_ticks = status.randomized_timeout};
}

Result<std::vector<PeerProgress>> RawNode::Progress() {
  std::size_t count = 0;
  QUORATE_TRY(state_->Call(qr_progress, nullptr, std::size_t{0}, &count));
  std::vector<qr_progress_t> raw(count);
  QUORATE_TRY(state_->Call(qr_progress, raw.data(), raw.size(), &count));
  std::vector<PeerProgress> peers;
  peers.reserve(count);
  for (const qr_progress_t& peer : raw) {
    peers.push_back(ToProgress(peer));
  }
  std::sort(peers.begin(), peers.end(),
            [](const PeerProgress& a, const PeerProgress& b) { return a.id < b.id; });
  return peers;
}

bool RawNode::poisoned() const {
  return state_->poisoned;
}

const std::string& RawNode::poison_reason() const {
  return state_->reason;
}

Status RawNode::PanicForTest() {
  return state_->Call(qr_test_panic);
}

}  // namespace quorate::consensus
