#include "txn/internal/sequencer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/fault_point.h"
#include "txn/internal/entry_codec.h"
#include "txn/internal/window_keys.h"

namespace quorate::txn::internal {
namespace {

Error AlreadyCommitted(const TransactionId& id, Lsn lsn) {
  return Error(Code::kAlreadyExists,
               fmt::format("transaction {} is entry {} already", id.ToHex(), lsn.value));
}

double Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

Error ConflictErrorOf(Verdict verdict) {
  Conflicts conflicts;
  conflicts.all = std::move(verdict.others);
  for (const std::optional<Conflict>& conflict : verdict.refs) {
    if (conflict) {
      conflicts.all.push_back(*conflict);
    }
  }
  conflicts.refs = std::move(verdict.refs);
  return ConflictError(std::move(conflicts));
}

Error Cancelled() {
  return MakeLifeCycleError(LifeCycleError::Call::kCommit, LifeCycleError::Reason::kCancelled);
}

Error GivenUp(const TransactionId& id) {
  return MakeLifeCycleError(LifeCycleError::Call::kCommit, LifeCycleError::Reason::kGivenUp)
      .Wrap("transaction " + id.ToHex());
}

Error LeadershipLost() {
  return {Code::kUnavailable, "leadership was lost; nothing was done"};
}

}  // namespace

struct Sequencer::Instruments {
  explicit Instruments(env::Metrics& all)
      : metrics(all),
        committed(Of("committed")),
        unchanged(Of("unchanged")),
        verify_seconds(
            all.GetHistogram("quorate_transaction_verify_seconds",
                             "From the call of Commit() on the partition's strand to the append.",
                             {}, env::LatencyBounds())),
        commit_seconds(all.GetHistogram("quorate_transaction_commit_seconds",
                                        "From the append to the acknowledgement.", {},
                                        env::LatencyBounds())),
        window_keys(all.GetGauge("quorate_transaction_window_keys",
                                 "Versions held by the conflict windows.", {})),
        window_bytes(all.GetGauge("quorate_transaction_window_bytes",
                                  "Memory of the conflict windows.", {})) {}

  env::Counter& Of(std::string_view outcome) const {
    return metrics.GetCounter("quorate_transactions_total", "Commits by their outcome.",
                              {{"outcome", std::string(outcome)}});
  }

  // The gauges are sums over all partitions.
  void TellWindow(std::size_t keys, std::size_t bytes) {
    const auto tell = [](env::Gauge& gauge, std::size_t& told, std::size_t now) {
      if (now != told) {
        gauge.Add(static_cast<double>(now) - static_cast<double>(told));
        told = now;
      }
    };
    tell(window_keys, window_keys_told, keys);
    tell(window_bytes, window_bytes_told, bytes);
  }

  env::Metrics& metrics;
  env::Counter& committed;  // Not looked up each time.
  env::Counter& unchanged;
  env::Histogram& verify_seconds;
  env::Histogram& commit_seconds;
  env::Gauge& window_keys;
  env::Gauge& window_bytes;
  std::size_t window_keys_told = 0;
  std::size_t window_bytes_told = 0;
};

Sequencer::Sequencer(const TransactionManagerDeps& deps, const TransactionManagerOptions& options,
                     Published& published, Position applied, std::unique_ptr<ConflictWindow> window)
    : deps_(deps),
      options_(options),
      strand_(deps.strand),
      published_(published),
      instruments_(std::make_shared<Instruments>(deps.metrics)),
      window_(std::move(window)),
      committed_(applied.lsn),
      applied_(applied.lsn),
      unchanged_(
          deps.log,
          [instruments = instruments_](const Status& barrier) {
            (barrier ? instruments->unchanged : instruments->Of(CodeName(barrier.error().code())))
                .Add();
          }),
      aborts_(options.aborts_kept_max) {
}

Sequencer::~Sequencer() {
  instruments_->TellWindow(0, 0);
}

void Sequencer::Submit(StatePtr transaction, std::shared_ptr<CommitInterest> interest,
                       CommitDone done) {
  strand_.AssertCurrent();
  Waiting commit{.transaction = std::move(transaction),
                 .done = std::move(done),
                 .interest = std::move(interest),
                 .since = deps_.clock.Monotonic()};
  if (Status taken = CheckTaken(commit); !taken) {
    Refuse(std::move(commit.transaction), std::move(commit.done), std::move(taken).error());
  } else if (NeedsNoRoom(*commit.transaction)) {
    Process(std::move(commit));
  } else if (waiting_.size() >= options_.in_flight_max) {
    Refuse(std::move(commit.transaction), std::move(commit.done),
           Error(Code::kResourceExhausted,
                 fmt::format("{} transactions with {} bytes are in flight, and {} wait for them",
                             in_flight_.size(), in_flight_bytes_, waiting_.size())));
  } else {
    waiting_.push_back(std::move(commit));
    ProcessWaiting();
  }
  TrimWindow();
}

// It takes no entry: it only reads, or learns what becomes of an earlier attempt of the same id.
bool Sequencer::NeedsNoRoom(const Transaction::State& transaction) {
  return writable() && (transaction.only_reads() || FindPending(transaction.id.bytes) != nullptr);
}

// Whether it may be looked at, now or behind the term fence.
Status Sequencer::CheckTaken(const Waiting& commit) const {
  if (commit.interest->cancelled.load(std::memory_order_relaxed)) {
    return Cancelled();
  }
  if (closed_) {
    return *closed_;
  }
  if (!no_op_) {
    return Error(Code::kNotLeader, leader_.value == 0
                                       ? "no leader is known"
                                       : fmt::format("replica {} leads", leader_.value));
  }
  return Ok();
}

void Sequencer::WaitWritable(Callback<Status> done) {
  strand_.AssertCurrent();
  if (closed_) {
    std::move(done)(*closed_);
  } else if (writable()) {
    std::move(done)(Ok());
  } else {
    writable_waiters_.push_back(std::move(done));
  }
}

void Sequencer::Refuse(StatePtr transaction, CommitDone done, Error reason) {
  strand_.AssertCurrent();
  DiscardPacksOf(*transaction);
  if (transaction->named_by_client()) {
    NoteAbort(transaction->id, reason);
  }
  transaction.reset();  // And with it the pin: its snapshot may have been the oldest in use.
  TrimWindow();
  Answer(std::move(done), std::move(reason));
}

void Sequencer::Withdraw(const CommitInterest& interest, bool give_up) {
  strand_.AssertCurrent();
  const auto ours = [&interest](const auto& commit) { return commit.interest.get() == &interest; };
  if (const auto at = std::ranges::find_if(waiting_, ours); at != waiting_.end()) {
    Waiting commit = std::move(*at);
    waiting_.erase(at);
    Refuse(std::move(commit.transaction), std::move(commit.done), Cancelled());
    return;
  }
  if (std::optional<CommitDone> done = unchanged_.Withdraw(interest)) {
    Answer(*std::move(done), Cancelled());  // It has no entry, so nothing was done.
    return;
  }
  for (Proposal& proposal : pending_) {
    if (ours(proposal)) {
      if (CommitDone done = give_up ? std::exchange(proposal.done, nullptr) : nullptr) {
        std::move(done)(GivenUp(proposal.id));
      }
      return;
    }
    // Whether its transaction takes place is for the first attempt to say.
    const auto at = std::ranges::find_if(proposal.repeats, ours);
    if (at != proposal.repeats.end()) {
      CommitDone done = std::move(at->done);
      proposal.repeats.erase(at);
      Answer(std::move(done), GivenUp(proposal.id));
      return;
    }
  }
}

void Sequencer::DiscardPacksOf(Transaction::State& transaction) {
  LocalPacks packs;
  for (StagedPack& staged : transaction.packs) {
    packs.push_back(staged.pack.Take());
  }
  Discard(std::move(packs));
}

// No entry names them on behalf of their transaction. The strand does not wait for the disk.
void Sequencer::Discard(LocalPacks packs) {
  std::erase(packs, nullptr);
  if (packs.empty()) {
    return;
  }
  deps_.storage.Post(
      [packs = std::move(packs), partition = deps_.partition, &logger = deps_.logger]() mutable {
        for (std::unique_ptr<git::QuarantinedPack>& pack : packs) {
          if (const Status discarded = pack->Discard(); !discarded) {
            logger.Warn("the pack of a refused push is left over",
                        {{"partition", partition.value}, {"error", discarded.error().message()}});
          }
          pack.reset();
        }
      });
}

void Sequencer::NoteAbort(const TransactionId& id, const Error& reason) {
  strand_.AssertCurrent();
  if (reason.code() == Code::kAlreadyExists) {
    return;  // Not this one was aborted: the id is that of another, which took place.
  }
  aborts_.Add(id.bytes, {.code = reason.code(),
                         .reason = reason.message(),
                         .time_unix_micros = deps_.clock.WallUnix().count()});
}

const AbortedTransaction* Sequencer::FindAbort(std::string_view id) const {
  strand_.AssertCurrent();
  return aborts_.Find(id);
}

// The window has whatever is not applied, also what was committed by now.
bool Sequencer::MayStillCommit(std::string_view id) const {
  strand_.AssertCurrent();
  const std::optional<Lsn> used = window_->FindTransaction(id);
  return (used && *used > applied_) || unknown_.Contains(id) ||
         std::ranges::any_of(waiting_,
                             [id](const Waiting& w) { return w.transaction->id.bytes == id; });
}

// Where an entry is that a transaction of this id made, if the window has it.
std::optional<Lsn> Sequencer::FindUse(std::string_view id) const {
  return options_.testing.forget_transaction_ids ? std::nullopt : window_->FindTransaction(id);
}

Sequencer::Proposal* Sequencer::FindPending(std::string_view id) {
  const std::optional<Lsn> used = FindUse(id);
  if (!used || *used <= committed_) {
    return nullptr;
  }
  const auto at = std::ranges::lower_bound(
      pending_, *used, {}, [](const Proposal& proposal) { return proposal.position.lsn; });
  QUORATE_CHECK(at != pending_.end());
  QUORATE_CHECK(at->id.bytes == id);
  return &*at;
}

// A client that tries again while its first attempt is in flight learns what becomes of that one.
void Sequencer::Join(Proposal& first, Waiting repeat) {
  if (first.repeats.size() >= options_.in_flight_max) {
    Refuse(std::move(repeat.transaction), std::move(repeat.done),
           Error(Code::kResourceExhausted, "too many wait for the same transaction"));
    return;
  }
  DiscardPacksOf(*repeat.transaction);
  first.repeats.push_back({.done = std::move(repeat.done), .interest = std::move(repeat.interest)});
}

bool Sequencer::writable() const {
  return no_op_ && (applied_ >= *no_op_ || options_.testing.forget_term_fence);
}

Status Sequencer::CheckAdmission(const Transaction::State& transaction) const {
  if (transaction.only_reads()) {
    return Ok();  // It takes no entry, and its snapshot is not compared with anything.
  }
  if (transaction.snapshot.lsn() < window_->floor()) {
    return SnapshotTooOldError(transaction.snapshot.lsn(), window_->floor());
  }
  if (const auto used = FindUse(transaction.id.bytes)) {
    return AlreadyCommitted(transaction.id, *used);
  }
  return Ok();
}

// Only ever something in tests.
void Sequencer::ForgetAsTold(Transaction::State& transaction) const {
  if (options_.testing.forget_point_reads) {
    transaction.reads = {};
  }
  if (options_.testing.forget_prefix_reads) {
    transaction.prefix_reads.clear();
  }
  if (options_.testing.forget_assertions) {
    transaction.assertions.clear();
  }
}

bool Sequencer::Process(Waiting commit) {
  ForgetAsTold(*commit.transaction);
  const Transaction::State& transaction = *commit.transaction;
  if (Proposal* first = FindPending(transaction.id.bytes); first != nullptr) {
    Join(*first, std::move(commit));
    return true;
  }
  if (Status admitted = CheckAdmission(transaction); !admitted) {
    Refuse(std::move(commit.transaction), std::move(commit.done), std::move(admitted).error());
    return true;
  }
  Verdict verdict = Verify(transaction, *window_);
  if (!verdict.Accepted(transaction.options.all_or_nothing)) {
    Refuse(std::move(commit.transaction), std::move(commit.done),
           ConflictErrorOf(std::move(verdict)));
    return true;
  }
  if (!verdict.ChangesNothing()) {
    return Append(std::move(commit), std::move(verdict));
  }
  DiscardPacksOf(*commit.transaction);
  const Lsn after = pending_.empty() ? committed_ : pending_.back().position.lsn;
  if (options_.testing.answer_unchanged && after == committed_) {
    Answer(std::move(commit.done), CommitOutcome{.lsn = Lsn{0}, .refs = std::move(verdict.refs)});
    return true;
  }
  unchanged_.Add({.after = after,
                  .outcome = {.lsn = Lsn{0}, .refs = std::move(verdict.refs)},
                  .done = std::move(commit.done),
                  .interest = std::move(commit.interest)});
  unchanged_.Advance(committed_);
  return true;
}

LogRecord Sequencer::MakeRecord(Transaction::State& transaction, Verdict& verdict) const {
  LogRecord record;
  record.transaction_id = transaction.id.bytes;
  record.actor = transaction.options.actor;
  record.time_unix_micros = deps_.clock.WallUnix().count();
  record.push_options = transaction.options.push_options;
  record.changes = std::move(verdict.changes);
  for (std::size_t i = 0; i < verdict.packs.size(); ++i) {
    if (verdict.packs[i]) {
      const StagedPack& staged = transaction.packs[i];
      record.changes.emplace_back(
          PackAdd{.repository = staged.repository, .pack = staged.pack.record()});
    }
  }
  return record;
}

bool Sequencer::Append(Waiting commit, Verdict verdict) {
  Transaction::State& transaction = *commit.transaction;
  LogRecord record = MakeRecord(transaction, verdict);
  std::vector<ConflictWindow::Write> writes = WindowWrites(record);
  ConflictWindow::EntryInfo info = InfoOf(record, Lsn{0}, 0);
  std::string data = EncodeRecord(std::move(record));
  const std::size_t bytes = data.size();
  info.log_bytes = bytes;
  if (bytes > options_.entry_bytes_max) {
    Refuse(std::move(commit.transaction), std::move(commit.done),
           Error(Code::kInvalidArgument, fmt::format("the transaction has {} bytes, at most {} fit",
                                                     bytes, options_.entry_bytes_max)));
    return true;
  }
  QUORATE_FAULT("txn.before_append");
  Result<Position> appended = deps_.log.Append(std::move(data));
  if (!appended && appended.error().code() == Code::kResourceExhausted && !pending_.empty()) {
    waiting_.push_front(std::move(commit));  // There is room again once those before are committed.
    log_is_full_ = true;
    return false;
  }
  if (!appended) {
    Refuse(std::move(commit.transaction), std::move(commit.done), std::move(appended).error());
    return true;
  }
  QUORATE_FAULT("txn.after_append");
  const std::chrono::nanoseconds now = deps_.clock.Monotonic();
  instruments_->verify_seconds.Observe(Seconds(now - commit.since));
  info.lsn = appended->lsn;
  window_->Add(info, std::move(writes));
  LocalPacks packs;  // As the entry has them.
  for (std::size_t i = 0; i < verdict.packs.size(); ++i) {
    if (verdict.packs[i]) {
      packs.push_back(transaction.packs[i].pack.Take());
    }
  }
  in_flight_.push_back({.lsn = appended->lsn, .bytes = bytes});
  in_flight_bytes_ += bytes;
  pending_.push_back({.position = *appended,
                      .id = transaction.id,
                      .named_by_client = transaction.named_by_client(),
                      .outcome = {.lsn = appended->lsn, .refs = std::move(verdict.refs)},
                      .done = std::move(commit.done),
                      .interest = std::move(commit.interest),
                      .repeats = {},
                      .packs = std::move(packs),
                      .appended_at = now});
  if (options_.testing.acknowledge_at_append) {
    Answer(std::exchange(pending_.back().done, nullptr), pending_.back().outcome);
  }
  DiscardPacksOf(transaction);  // Those that were left out.
  return true;
}

Result<ApplyItem> Sequencer::Committed(consensus::Entry entry) {
  strand_.AssertCurrent();
  QUORATE_CHECK(entry.lsn == committed_.Next());
  committed_ = entry.lsn;
  published_.SetCommitted(committed_);
  ApplyItem item{.entry = std::move(entry),
                 .record = {},
                 .locals = {},
                 .committed_at = deps_.clock.Monotonic()};
  if (!pending_.empty() && pending_.front().position == item.entry.position()) {
    Acknowledge(item);
    unchanged_.Advance(committed_);
    return item;
  }
  if (!pending_.empty() && pending_.front().position.lsn == item.entry.lsn) {
    LoseProposals(item.entry.lsn);
  }
  item.locals = DecideUnknown(item.entry.position());
  if (item.entry.type == consensus::EntryType::kNormal && !item.entry.data.empty()) {
    item.record = QUORATE_TRY(DecodeRecord(item.entry.data));
    if (!options_.testing.forget_others_writes) {
      window_->Add(InfoOf(*item.record, item.entry.lsn, item.entry.data.size()),
                   WindowWrites(*item.record));
    }
  }
  unchanged_.Advance(committed_);
  Publish();
  return item;
}

// Answers with the packs that came in here with this entry.
LocalPacks Sequencer::DecideUnknown(Position committed) {
  UnknownProposals::Decided decided = unknown_.Decide(committed);
  for (UnknownProposals::Proposal& lost : decided.lost) {
    Discard(std::move(lost.packs));
    if (lost.named_by_client) {
      NoteAbort(lost.id, LeadershipLost());
    }
  }
  return std::move(decided.packs);
}

void Sequencer::Acknowledge(ApplyItem& item) {
  Proposal ours = std::move(pending_.front());
  pending_.pop_front();
  item.locals = std::move(ours.packs);
  instruments_->commit_seconds.Observe(Seconds(deps_.clock.Monotonic() - ours.appended_at));
  QUORATE_FAULT("txn.before_ack");
  Answer(std::move(ours.done), std::move(ours.outcome));
  for (Repeat& repeat : ours.repeats) {
    Answer(std::move(repeat.done), AlreadyCommitted(ours.id, ours.position.lsn));
  }
}

void Sequencer::TellLost(Proposal proposal, const Error& reason) {
  Answer(std::move(proposal.done), reason);
  for (Repeat& repeat : proposal.repeats) {
    Answer(std::move(repeat.done), reason);
  }
}

// Another entry stands where the first of our proposals should: none of them exists any more.
void Sequencer::LoseProposals(Lsn from) {
  DropProposalsFrom(from);
  const Error lost = LeadershipLost();
  for (Proposal& proposal : std::exchange(pending_, {})) {
    Discard(std::move(proposal.packs));
    if (proposal.named_by_client) {
      NoteAbort(proposal.id, lost);
    }
    TellLost(std::move(proposal), lost);
  }
  FailUnchanged(lost);
}

void Sequencer::LeavePendingUnknown() {
  DropProposalsFrom(committed_.Next());
  for (Proposal& proposal : std::exchange(pending_, {})) {
    unknown_.Add({.position = proposal.position,
                  .id = proposal.id,
                  .named_by_client = proposal.named_by_client,
                  .packs = std::move(proposal.packs)});
    const Error unknown(
        options_.testing.refuse_unknown ? Code::kUnavailable : Code::kOutcomeUnknown,
        fmt::format("transaction {} may or may not be committed", proposal.id.ToHex()));
    TellLost(std::move(proposal), unknown);
  }
}

void Sequencer::FailUnchanged(const Error& reason) {
  for (UnchangedCommits::Commit& commit : unchanged_.TakeWaiting()) {
    Answer(std::move(commit.done), reason);
  }
}

void Sequencer::RefuseWaiting(const Error& reason) {
  strand_.AssertCurrent();
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    Refuse(std::move(waiting.transaction), std::move(waiting.done), reason);
  }
}

void Sequencer::DropProposalsFrom(Lsn lsn) {
  if (!options_.testing.keep_lost_proposals) {
    window_->DropFrom(lsn);
  }
  while (!in_flight_.empty() && in_flight_.back().lsn >= lsn) {
    in_flight_bytes_ -= in_flight_.back().bytes;
    in_flight_.pop_back();
  }
}

void Sequencer::Applied(Lsn lsn) {
  strand_.AssertCurrent();
  QUORATE_CHECK(lsn <= committed_);
  applied_ = lsn;
  log_is_full_ = false;
  published_.SetApplied(lsn);
  while (!in_flight_.empty() && in_flight_.front().lsn <= lsn) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  Trim();
  PassFence();
  Publish();
}

void Sequencer::Leading(Lsn no_op) {
  strand_.AssertCurrent();
  no_op_ = no_op;
  leader_ = ReplicaId{0};
  PassFence();
  Publish();
}

void Sequencer::PassFence() {
  if (!writable() || closed_) {
    return;
  }
  for (Callback<Status>& done : std::exchange(writable_waiters_, {})) {
    std::move(done)(Ok());
  }
  ProcessWaiting();
}

// Who comes when too much is in flight waits for it to be applied: to refuse would only make
// clients come again.
void Sequencer::ProcessWaiting() {
  while (!waiting_.empty() && !log_is_full_ && writable() &&
         in_flight_.size() < options_.in_flight_max &&
         in_flight_bytes_ < options_.in_flight_bytes_max) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (!Process(std::move(next))) {
      return;
    }
  }
}

void Sequencer::Following(ReplicaId leader) {
  strand_.AssertCurrent();
  no_op_.reset();
  leader_ = leader;
  log_is_full_ = false;
  LeavePendingUnknown();
  const Error lost = LeadershipLost();
  FailUnchanged(lost);
  RefuseWaiting(lost);
  Publish();
}

void Sequencer::Close(Error reason) {
  strand_.AssertCurrent();
  if (!closed_ || reason.code() == Code::kCorruption) {
    closed_ = std::move(reason);
  }
  RefuseWaiting(*closed_);
  for (Callback<Status>& done : std::exchange(writable_waiters_, {})) {
    std::move(done)(*closed_);
  }
}

void Sequencer::Abandon() {
  strand_.AssertCurrent();
  QUORATE_CHECK(closed_);
  LeavePendingUnknown();
  FailUnchanged(*closed_);
  Publish();
}

bool Sequencer::drained() const {
  strand_.AssertCurrent();
  return pending_.empty() && unchanged_.empty() && waiting_.empty();
}

void Sequencer::TrimWindow() {
  strand_.AssertCurrent();
  Trim();
  Publish();
}

// Memory goes before old snapshots do: what is applied may be forgotten, and whoever began before
// is refused with "too old".
void Sequencer::Trim() {
  window_->Trim(options_.window, applied_, published_.Evictable(), deps_.clock.WallUnix());
  if (options_.testing.evict_behind_floor) {
    window_->Forget(applied_);
  }
}

void Sequencer::Publish() {
  const std::size_t keys = window_->size();
  const std::size_t bytes = window_->bytes();
  instruments_->TellWindow(keys, bytes);
  published_.SetCounts({.leading = writable() && !closed_,
                        .in_flight = in_flight_.size(),
                        .window_keys = keys,
                        .window_bytes = bytes});
}

void Sequencer::Answer(CommitDone done, Result<CommitOutcome> result) {
  (result ? instruments_->committed : instruments_->Of(CodeName(result.error().code()))).Add();
  if (done != nullptr) {
    std::move(done)(std::move(result));
  }
}

}  // namespace quorate::txn::internal
