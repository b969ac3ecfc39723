#include "raft/replica.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "consensus/message.h"

namespace quorate::raft {
namespace {

// How much may have to be read again at a start because the stored configuration lags.
constexpr std::uint64_t kUnsavedEntriesMax = 1024;
constexpr std::size_t kUnsavedBytesMax = 4 << 20;

env::Counter& DroppedCounter(env::Metrics& metrics, const char* reason) {
  return metrics.GetCounter("quorate_raft_messages_dropped_total",
                            "Messages of other replicas that were not taken, by reason.",
                            {{"reason", reason}});
}

consensus::LogSink EngineLog(env::Logger& logger, PartitionId partition) {
  return [&logger, partition](consensus::LogLevel level, std::string_view text) {
    const bool grave = level <= consensus::LogLevel::kError;
    logger.Log(grave ? env::Severity::kWarning : env::Severity::kDebug, "consensus engine",
               {{"partition", partition.value}, {"note", text}});
  };
}

Error NotLeader(ReplicaId leader) {
  return Error(Code::kNotLeader, leader.value == 0
                                     ? std::string("no leader is known")
                                     : "replica " + std::to_string(leader.value) + " leads");
}

Error Damaged(const std::string& what) {
  return Error(Code::kCorruption, what);
}

// Whether the machine's state can be continued from this log.
Status CheckFits(const log::StoredLog& stored, Position applied, consensus::Storage& view) {
  if (applied.lsn < stored.truncated.lsn || applied.lsn > stored.last) {
    return Damaged("state is at " + std::to_string(applied.lsn.value) + ", but the log has (" +
                   std::to_string(stored.truncated.lsn.value) + ", " +
                   std::to_string(stored.last.value) + "]");
  }
  if (stored.conf_state_lsn < stored.truncated.lsn) {
    return Damaged("the configuration is older than the log's first entry");
  }
  const Term term = QUORATE_TRY(view.TermAt(applied.lsn));
  if (term != applied.term) {
    return Damaged("entry " + std::to_string(applied.lsn.value) + " has term " +
                   std::to_string(term.value) + ", but term " + std::to_string(applied.term.value) +
                   " was applied");
  }
  return Ok();
}

}  // namespace

Replica::Replica(PartitionId partition, const Environment& environment,
                 const ReplicaOptions& options)
    : partition_(partition),
      strand_(environment.strand),
      logs_(environment.logs),
      transport_(environment.transport),
      random_(environment.random),
      logger_(environment.logger),
      options_(options),
      counters_{.dropped_foreign = DroppedCounter(environment.metrics, "foreign"),
                .dropped_invalid = DroppedCounter(environment.metrics, "invalid"),
                .dropped_checkpoint = DroppedCounter(environment.metrics, "checkpoint"),
                .dropped_resigned = DroppedCounter(environment.metrics, "resigned"),
                .leaderships = environment.metrics.GetCounter(
                    "quorate_raft_leaderships_total", "Times a replica here became leader.", {}),
                .fences = environment.metrics.GetCounter("quorate_raft_fences_total",
                                                         "Replicas fenced since the start.", {})},
      view_(partition, environment.logs),
      reads_(std::to_string(random_.Next()) + "-" + std::to_string(random_.Next()), options.reads,
             options.testing.repeat_read_contexts),
      window_(options.unapplied_bytes_max) {
}

Replica::~Replica() = default;

bool Replica::running() const {
  return machine_ != nullptr && !fenced_ && !stopping_;
}

Status Replica::CheckRunning() const {
  if (fenced_) {
    return Error(Code::kUnavailable, "replica is fenced: " + fenced_->message());
  }
  if (!running()) {
    return Error(Code::kUnavailable, "replica is stopping or not started");
  }
  return Ok();
}

bool Replica::sole_voter() const {
  return !conf_.joint() && conf_.voters.size() == 1 && conf_.IsVoter(identity_.replica);
}

bool Replica::alone() const {
  return sole_voter() && conf_.learners.empty();
}

// --- Life ---

Status Replica::Start(log::StateMachine& machine, Position applied) {
  strand_.AssertCurrent();
  QUORATE_CHECK(machine_ == nullptr);
  QUORATE_TRY(Open(applied));
  machine_ = &machine;
  campaign_at_start_ = sole_voter();
  ScheduleDrain();
  return Ok();
}

// The engine begins where both the machine's state and the stored configuration are known, and
// hands out again what comes after; Deliver() keeps from the machine what it has.
Status Replica::Open(Position applied) {
  const log::StoredLog stored = QUORATE_TRY(logs_.Load(partition_));
  conf_ = QUORATE_TRY(consensus::ConfState::Decode(stored.conf_state));
  identity_ = stored.identity;
  consensus::HardState hard_state = stored.hard_state;
  hard_state.commit = std::max(hard_state.commit, applied.lsn);
  QUORATE_TRY(view_.Open(stored, hard_state, conf_));
  QUORATE_TRY(CheckFits(stored, applied, view_));

  conf_known_ = stored.conf_state_lsn;
  conf_saved_ = stored.conf_state_lsn;
  hard_state_ = hard_state;
  hard_written_ = stored.hard_state;
  machine_applied_ = applied.lsn;
  window_.Reset(options_.testing.deliver_again ? conf_known_ : applied.lsn);
  deliver_upto_ = hard_state.commit;
  seen_term_ = stored.hard_state.term;
  const consensus::RawNodeOptions options{
      .id = identity_.replica,
      .applied = std::min(applied.lsn, conf_known_),
      .election_ticks = options_.election_ticks,
      .heartbeat_ticks = options_.heartbeat_ticks,
      .inflight_messages_max = options_.inflight_messages_max,
      .message_bytes_max = options_.message_bytes_max,
      .uncommitted_bytes_max = options_.uncommitted_bytes_max,
      .committed_bytes_per_ready_max = options_.committed_bytes_per_ready_max,
      .announce_commits = false,
      .seed = options_.seed};
  node_ = QUORATE_TRY(consensus::RawNode::OpenUnsafe(options, options_.testing.engine, view_,
                                                     EngineLog(logger_, partition_)));
  return Ok();
}

void Replica::Stop(Callback<> done) {
  strand_.AssertCurrent();
  QUORATE_CHECK(!stopped_.has_value());
  const bool was_running = running();
  stopping_ = true;
  NoteWhetherAlone();
  stopped_ = std::move(done);
  if (was_running) {
    burst_ = {};
    reads_.FailAll(Error(Code::kUnavailable, "replica is stopping"));
    SaveConfState(node_->status().applied);
    if (std::exchange(leading_, std::nullopt)) {
      machine_->OnFollowing(node_->status().term, ReplicaId{});
    }
  }
  if (writes_under_way_ == 0) {
    FinishStop();
  }
}

void Replica::FinishStop() {
  strand_.Post(std::move(*stopped_));
}

void Replica::Fence(const Error& reason) {
  if (!running()) {
    return;
  }
  fenced_ = node_->poisoned() ? Error(Code::kCorruption, node_->poison_reason()) : reason;
  leading_.reset();
  NoteWhetherAlone();
  burst_ = {};
  conf_changes_.clear();
  counters_.fences.Add();
  logger_.Fail("replica fenced", {{"partition", partition_.value},
                                  {"replica", identity_.replica.value},
                                  {"reason", fenced_->ToString()}});
  reads_.FailAll(Error(Code::kUnavailable, "replica is fenced: " + fenced_->message()));
  // Posted: this may be inside a call of the machine.
  strand_.Post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) {
      return;
    }
    strand_.AssertCurrent();
    if (!stopping_) {
      machine_->OnFenced(*fenced_);
    }
  });
}

bool Replica::Survives(const Status& status) {
  if (!status) {
    Fence(status.error());
  }
  return status.has_value();
}

// --- Proposals ---

Result<Position> Replica::Append(std::string data) {
  strand_.AssertCurrent();
  QUORATE_TRY(CheckRunning());
  if (data.empty()) {
    return Error(Code::kInvalidArgument, "an entry without data means a leader's first");
  }
  if (resigned_) {
    return Error(Code::kUnavailable, "the state machine is fenced");
  }
  const consensus::NodeStatus now = node_->status();
  QUORATE_TRY(CheckMayPropose(now));
  const std::size_t held = now.uncommitted_bytes + burst_.bytes;
  if (held > 0 && held + data.size() > options_.uncommitted_bytes_max) {
    return Error(Code::kResourceExhausted, std::to_string(held) + " bytes are not committed yet");
  }
  if (burst_.payloads.empty()) {
    burst_.first = {.lsn = now.last.Next(), .term = now.term};
  }
  const Lsn lsn{burst_.first.lsn.value + burst_.payloads.size()};
  burst_.bytes += data.size();
  burst_.payloads.push_back(std::move(data));
  ScheduleDrain();
  return Position{.lsn = lsn, .term = now.term};
}

// Leads, is past the term fence, and stays for the time being.
Status Replica::CheckMayPropose(const consensus::NodeStatus& now) const {
  const bool leads = now.role == consensus::Role::kLeader && leading_ &&
                     leading_->term == now.term &&
                     (now.applied >= leading_->no_op || options_.testing.lead_without_fence);
  if (!leads) {
    return NotLeader(now.leader == identity_.replica ? ReplicaId{} : now.leader);
  }
  if (now.transferee.value != 0) {
    return Error(Code::kUnavailable,
                 "leadership is being handed to replica " + std::to_string(now.transferee.value));
  }
  return Ok();
}

Result<Position> Replica::ProposeConfChange(const consensus::ConfChange& change) {
  strand_.AssertCurrent();
  QUORATE_TRY(CheckRunning());
  QUORATE_TRY(CheckMayPropose(node_->status()));
  const Status flushed = FlushBurst();
  if (!Survives(flushed)) {
    return flushed.error();
  }
  commits_alone_ = false;  // Before anybody can hear of it.
  Result<Position> position = node_->ProposeConfChange(change);
  if (position) {
    conf_proposed_ = position->lsn;
  } else if (node_->poisoned()) {
    Fence(position.error());
  }
  NoteWhetherAlone();
  ScheduleDrain();
  return position;
}

// One call of the engine for the whole burst: one message to each peer, not one for each entry.
// Comes before every other call that could move the role or the end of the log, so that the engine
// gives the positions that Append() promised.
Status Replica::FlushBurst() {
  if (burst_.payloads.empty()) {
    return Ok();
  }
  const Burst burst = std::exchange(burst_, {});
  const std::vector<std::string_view> payloads(burst.payloads.begin(), burst.payloads.end());
  const Result<Position> first = node_->Propose(payloads);
  if (!first) {
    return Error(Code::kInternal, "promised proposals were refused: " + first.error().ToString());
  }
  if (*first != burst.first) {
    return Error(Code::kInternal, "proposals promised at " + std::to_string(burst.first.lsn.value) +
                                      " came to " + std::to_string(first->lsn.value));
  }
  return Ok();
}

// --- Applying ---

void Replica::Applied(Lsn lsn) {
  strand_.AssertCurrent();
  if (!running()) {
    return;
  }
  QUORATE_CHECK(lsn >= machine_applied_);
  machine_applied_ = lsn;
  unsaved_bytes_ += window_.Applied(lsn);
  ApplyTo(lsn);
  ScheduleDrain();
}

void Replica::ApplyTo(Lsn lsn) {
  if (!Survives(FlushBurst()) || !Survives(ApplyConfChanges(lsn))) {
    return;
  }
  if (lsn > node_->status().applied && !Survives(node_->AdvanceApplyTo(lsn))) {
    return;
  }
  NoteWhetherAlone();
  if (lsn.value >= conf_saved_.value + kUnsavedEntriesMax || unsaved_bytes_ >= kUnsavedBytesMax) {
    SaveConfState(lsn);
  }
}

// Each change before the engine's applied LSN covers it: a joint configuration that ends by itself
// does so when the engine sees its entry applied.
Status Replica::ApplyConfChanges(Lsn upto) {
  while (!conf_changes_.empty() && conf_changes_.front().lsn <= upto) {
    const consensus::Entry change = std::move(conf_changes_.front());
    conf_changes_.pop_front();
    Result<consensus::ConfState> conf = node_->ApplyConfChange(change.type, change.data);
    if (conf) {
      conf_ = std::move(*conf);
      logger_.Info("configuration changed", {{"partition", partition_.value},
                                             {"lsn", change.lsn.value},
                                             {"configuration", conf_.ToString()}});
    } else if (conf.error().code() != Code::kConflict) {
      return conf.error();
    }
    SaveConfState(change.lsn);
    QUORATE_TRY(node_->AdvanceApplyTo(change.lsn));
  }
  return Ok();
}

// `lsn` is what the engine has applied. Saved now and then even if nothing changed, because a start
// reads again what comes after it.
void Replica::SaveConfState(Lsn lsn) {
  if (lsn <= conf_saved_) {
    return;
  }
  hard_written_ = hard_state_;
  logs_.SaveConfState(partition_, hard_written_, conf_.Encode(), lsn);
  conf_saved_ = lsn;
  unsaved_bytes_ = 0;
}

// --- Reads, compaction, status ---

void Replica::ReadBarrier(ReadDone done) {
  strand_.AssertCurrent();
  const Status runs = CheckRunning();
  if (!runs) {
    std::move(done)(runs.error());
    return;
  }
  if (options_.testing.answer_reads_locally) {
    std::move(done)(node_->status().commit);
    return;
  }
  reads_.Add(std::move(done));
  ScheduleDrain();
}

void Replica::Compact(Lsn lsn) {
  strand_.AssertCurrent();
  if (!running()) {
    return;
  }
  const Lsn upto = std::min({lsn, machine_applied_, CompactionFloor()});
  if (upto <= view_.truncated().lsn) {
    return;
  }
  const Result<Term> term = view_.TermAt(upto);
  if (!term) {
    Fence(term.error());
    return;
  }
  // First, so that the configuration is never older than the log.
  SaveConfState(node_->status().applied);
  const Position position{.lsn = upto, .term = *term};
  logs_.TruncatePrefix(partition_, position);
  view_.Truncated(position);
}

Lsn Replica::CompactionFloor() {
  const consensus::NodeStatus now = node_->status();
  Lsn floor = std::min(now.applied, now.persisted);
  if (alone() || options_.testing.compact_past_members) {
    return floor;
  }
  const auto peers = node_->Progress();
  if (!peers) {
    return std::min(floor, everywhere_);
  }
  for (const consensus::PeerProgress& peer : *peers) {
    floor = std::min(floor, peer.matched);
  }
  return floor;
}

log::LogStatus Replica::status() const {
  strand_.AssertCurrent();
  if (!node_) {
    return {};
  }
  const consensus::NodeStatus now = node_->status();
  return {.term = now.term,
          .leading = leading_ && leading_->announced && running(),
          .leader = now.leader,
          .voters = conf_.voters,
          .learners = conf_.learners,
          .first = view_.truncated().lsn.Next(),
          .last = Lsn{now.last.value + burst_.payloads.size()},
          .durable = now.persisted,
          .committed = now.commit,
          .applied = machine_applied_};
}

// --- Messages and time ---

void Replica::Step(const Message& message) {
  strand_.AssertCurrent();
  if (!running()) {
    return;
  }
  const auto header = consensus::PeekMessage(message.bytes);
  if (!header) {
    counters_.dropped_invalid.Add();
    return;
  }
  // A well-formed lie about the sender could fence us, so what the transport knows must fit.
  if (message.partition != partition_ || message.to != identity_.replica ||
      message.from == identity_.replica || header->from != message.from ||
      header->to != message.to) {
    counters_.dropped_foreign.Add();
    return;
  }
  if (header->type == static_cast<std::uint32_t>(consensus::MessageType::kSnapshot)) {
    counters_.dropped_checkpoint.Add();
    return;
  }
  everywhere_ = std::max(everywhere_, message.truncated);
  if (resigned_ &&
      header->type == static_cast<std::uint32_t>(consensus::MessageType::kTimeoutNow)) {
    counters_.dropped_resigned.Add();  // It would lead, and hand over again at once.
    return;
  }
  if (!Survives(FlushBurst())) {
    return;
  }
  const Status stepped = node_->Step(message.bytes);
  if (!stepped && stepped.error().code() == Code::kNotFound) {
    counters_.dropped_foreign.Add();
  } else if (!stepped && stepped.error().code() == Code::kInvalidArgument) {
    counters_.dropped_invalid.Add();
  } else if (!Survives(stepped)) {
    return;
  }
  if (header->type == static_cast<std::uint32_t>(consensus::MessageType::kHeartbeat)) {
    DeliverUpTo(node_->status().commit);  // It told of commits behind which no entries came.
  }
  ScheduleDrain();
}

void Replica::Tick() {
  strand_.AssertCurrent();
  if (!running()) {
    return;
  }
  if (!Survives(FlushBurst()) || !Survives(node_->Tick())) {
    return;
  }
  reads_.Tick();
  hand_over_due_ = resigned_;
  ScheduleDrain();
}

bool Replica::WantsTicks() const {
  strand_.AssertCurrent();
  return running() && !(alone() && leading_ && reads_.idle());
}

}  // namespace quorate::raft
