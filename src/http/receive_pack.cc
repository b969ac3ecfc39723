#include "http/internal/receive_pack.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/fault_point.h"
#include "git/pkt_line.h"
#include "git/push_report.h"
#include "git/push_request.h"
#include "http/error_map.h"
#include "http/internal/hop.h"
#include "http/internal/push.h"
#include "http/internal/transaction_name.h"
#include "http/internal/transactions_api.h"

namespace quorate::http {
namespace {

constexpr std::string_view kResultType = "application/x-git-receive-pack-result";
// Pieces of a pack are gathered up to this size before they go to the pool: a hop costs more than a
// copy.
constexpr std::size_t kGatherBytesMax = 256 << 10;
// How often progress is passed on.
constexpr std::chrono::milliseconds kProgressPeriod{1000};

Awaitable<void> SendResult(Exchange& exchange, std::string_view body) {
  ResponseHead head = GitHead(std::string(kResultType));
  const Status sent = co_await exchange.response().Send(std::move(head), body);
  static_cast<void>(sent);  // A client that left needs no answer.
}

class ReceivePack {
 public:
  ReceivePack(const Services& services, Exchange& exchange, RepositoryHandle repository,
              std::string name)
      : services_(services),
        exchange_(exchange),
        repository_(std::move(repository)),
        name_(std::move(name)) {}

  Awaitable<void> Run();

 private:
  enum class Received : std::uint8_t { kWhole, kBrokenOff, kTooMuchLeft };

  Awaitable<Result<git::PushRequest>> ReadRequest();
  Awaitable<Result<RepositoryHandle>> Create();
  void NameTransaction(git::PushRequest request, const std::optional<std::string>& name);
  Awaitable<Status> LookForEarlierAttempt();
  Awaitable<void> RepeatAnswer();
  void NoteLsn(Lsn lsn);
  void NoteAbort(const Error& reason);
  Awaitable<Received> ReadPack();
  Awaitable<bool> TakePlace();
  Awaitable<Status> WaitForApplied();
  void CheckPack();
  Awaitable<void> Commit();
  Awaitable<void> Answer();
  enum class Stage : std::uint8_t { kBeforeProposal, kProposed };
  Awaitable<void> FailWith(Stage stage, const Error& error);
  Awaitable<void> SendBytes(std::string bytes);
  Awaitable<void> Tick();
  Awaitable<void> AnswerNobody();
  void OnGone();

  template <class T, class Start>
  Awaitable<T> WaitWithTicks(Start start);
  template <class Work>
  Awaitable<std::invoke_result_t<Work&>> WorkWithTicks(Work work);

  bool speaks_side_bands() const { return push_->request().capabilities.side_band_64k; }

  const Services& services_;
  Exchange& exchange_;
  RepositoryHandle repository_;
  const std::string name_;

  std::string begin_;  // Of the pack; came with the commands.
  bool body_ended_ = false;
  std::optional<ChildGate::Permit> place_;  // For the process that indexes a large pack.
  std::unique_ptr<Push> push_;
  bool gone_ = false;  // The client closed the connection.
  std::optional<txn::TransactionManager::PendingCommit> commit_;  // Under way.
  std::chrono::nanoseconds last_sent_{0};
  bool named_ = false;  // The client named its transaction.
};

Awaitable<void> ReceivePack::Run() {
  const std::chrono::nanoseconds began = services_.deps.clock.Monotonic();
  Result<git::PushRequest> request = co_await ReadRequest();
  if (!request) {
    co_await SendBodyError(exchange_, request.error());
    co_return;
  }
  if (request->commands.empty()) {
    co_await SendResult(exchange_, "");  // Git's probe.
    co_return;
  }
  // Before a repository is made: a refusal must leave nothing behind.
  const Result<std::optional<std::string>> name =
      NamedTransaction(exchange_.head().Find(kTransactionHeader), request->push_options);
  if (!name) {
    co_await SendBodyError(exchange_, name.error());
    co_return;
  }
  if (repository_ == nullptr) {
    if (!request->expects_pack()) {
      const Error missing(Code::kNotFound, "no repository " + name_);
      co_await SendBodyError(exchange_, missing);
      co_return;
    }
    Result<RepositoryHandle> created = co_await Create();
    if (!created) {
      co_await SendBodyError(exchange_, created.error());
      co_return;
    }
    repository_ = std::move(*created);
  }
  NameTransaction(std::move(*request), *name);
  const Status looked = co_await LookForEarlierAttempt();
  const Status writable = services_.deps.node.CheckWritable();
  if (!writable && !push_->repeated()) {
    push_->RefuseAll(writable.error());
  }
  services_.metrics.push_parse_seconds.Observe(
      std::chrono::duration<double>(services_.deps.clock.Monotonic() - began).count());

  const Received received = co_await ReadPack();
  if (received == Received::kBrokenOff) {
    services_.metrics.CountPush("aborted");
    NoteAbort(Error(Code::kCancelled, "the request ends too early"));
    exchange_.response().CloseAfterwards();
    co_await SendText(exchange_, 400, "the request ends too early");
    co_return;
  }
  if (received == Received::kTooMuchLeft) {
    exchange_.response().CloseAfterwards();
  }
  last_sent_ = services_.deps.clock.Monotonic();
  QUORATE_FAULT("http.after_receive");
  std::unique_ptr<Exchange::GoneWatch> watch;
  if (exchange_.body().finished()) {
    watch = exchange_.WatchGone([this] { OnGone(); });
  }
  if (!looked) {
    co_await FailWith(Stage::kBeforeProposal, looked.error());
    co_return;
  }
  if (push_->unpack_failed() || push_->repeated()) {
    co_await Answer();
    co_return;
  }
  const Status applied = co_await WaitForApplied();
  if (!applied) {
    co_await FailWith(Stage::kBeforeProposal, applied.error());
    co_return;
  }
  co_await Commit();
}

// Its id is told with whatever answer, so that the client can ask what became of it.
void ReceivePack::NameTransaction(git::PushRequest request,
                                  const std::optional<std::string>& name) {
  named_ = name.has_value();
  std::string id = named_ ? *name : repository_->transactions().NewTransactionId().bytes;
  exchange_.response().AddHeader(kTransactionHeader, HexEncode(id));
  push_ = std::make_unique<Push>(repository_, std::move(request), std::move(id),
                                 named_ ? txn::NamedBy::kClient : txn::NamedBy::kServer);
}

// A client that tries again must hear what became of its first attempt, even where a new one would
// be refused: its pack may be gone, the disk may be full.
Awaitable<Status> ReceivePack::LookForEarlierAttempt() {
  if (!named_) {
    co_return Ok();
  }
  auto start = [this](Callback<Result<txn::Snapshot>> done) {
    repository_->transactions().ReadSnapshot(std::move(done));
  };
  Result<txn::Snapshot> snapshot = co_await AwaitCallback<Result<txn::Snapshot>>(std::move(start));
  if (!snapshot) {
    co_return std::move(snapshot).error();
  }
  auto look = [this, &snapshot]() -> Result<Lsn> {
    const auto before = QUORATE_TRY(snapshot->FindTransaction(push_->transaction()));
    if (before) {
      QUORATE_TRY(push_->AnswerAsBefore(*snapshot, *before));
    }
    return before ? before->lsn : Lsn{};
  };
  const Result<Lsn> lsn = co_await OnPool(services_.deps.git, std::move(look));
  if (lsn && push_->repeated()) {
    NoteLsn(*lsn);
  }
  co_return lsn ? Ok() : Status(lsn.error());
}

// The transaction of this id was committed while this attempt was under way.
Awaitable<void> ReceivePack::RepeatAnswer() {
  const Status looked = co_await LookForEarlierAttempt();
  if (looked && push_->repeated()) {
    co_await Answer();
    co_return;
  }
  const Error unknown(Code::kOutcomeUnknown, looked ? "an earlier attempt is not found any more"
                                                    : looked.error().message());
  co_await FailWith(Stage::kProposed, unknown);
}

void ReceivePack::NoteLsn(Lsn lsn) {
  if (lsn != Lsn{} && !exchange_.response().started()) {
    exchange_.response().AddHeader(kLsnHeader, std::to_string(lsn.value));
  }
}

// Only of what the client can ask for by a name that it knew before.
void ReceivePack::NoteAbort(const Error& reason) {
  if (named_) {
    repository_->transactions().NoteAbort({.bytes = push_->transaction()}, reason);
  }
}

// What was acknowledged before this push came must be seen by its checks: its pack may build on
// objects that are committed and not yet applied.
Awaitable<Status> ReceivePack::WaitForApplied() {
  if (repository_->transactions().CurrentLsn()) {
    co_return Ok();
  }
  auto start = [this](Callback<Result<txn::Snapshot>> done) {
    repository_->transactions().ReadSnapshot(std::move(done));
  };
  Result<txn::Snapshot> snapshot = co_await WaitWithTicks<Result<txn::Snapshot>>(std::move(start));
  co_return snapshot ? Ok() : Status(std::move(snapshot).error());
}

Awaitable<Result<git::PushRequest>> ReceivePack::ReadRequest() {
  git::PushRequestParser parser(repository_ == nullptr ? git::ObjectFormat::kSha1
                                                       : repository_->format());
  while (!parser.complete()) {
    Result<std::string_view> piece = co_await exchange_.body().Read();
    if (!piece) {
      co_return std::move(piece).error();
    }
    std::string_view left = *piece;
    body_ended_ = left.empty();
    Status fed = body_ended_ ? parser.Finish() : parser.Feed(left);
    if (!fed) {
      co_return std::move(fed).error();
    }
    begin_ = left;
  }
  git::PushRequest request = parser.TakeRequest();
  exchange_.notes().session = request.capabilities.session_id;
  co_return request;
}

Awaitable<Result<RepositoryHandle>> ReceivePack::Create() {
  cluster::CreateRepositoryOptions options;
  options.name = name_;
  options.format = git::ObjectFormat::kSha1;
  options.default_branch = services_.options.default_branch;
  auto start = [this, &options](Callback<Result<RepositoryHandle>> done) {
    services_.deps.node.CreateRepository(std::move(options), std::move(done));
  };
  Result<RepositoryHandle> created =
      co_await AwaitCallback<Result<RepositoryHandle>>(std::move(start));
  if (!created && created.error().code() == Code::kAlreadyExists) {
    co_return co_await FindRepository(services_, name_);  // Somebody else was faster.
  }
  co_return created;
}

// The next piece is awaited only when the last one was taken: the network is as slow as the disk.
Awaitable<ReceivePack::Received> ReceivePack::ReadPack() {
  const std::uint64_t drain_max = services_.options.drain_bytes_max;
  std::uint64_t dropped = 0;
  std::string gathered = std::move(begin_);
  while (!body_ended_) {
    Result<std::string_view> piece = co_await exchange_.body().Read();
    if (!piece) {
      co_return Received::kBrokenOff;
    }
    body_ended_ = piece->empty();
    if (push_->unpack_failed() || push_->repeated() || !push_->request().expects_pack()) {
      place_.reset();  // No process waits for the rest.
      dropped += piece->size();
      if (dropped > drain_max) {
        co_return Received::kTooMuchLeft;
      }
      continue;
    }
    gathered += *piece;
    if (gathered.size() >= kGatherBytesMax) {
      if (!co_await TakePlace()) {
        continue;
      }
      // The disk again and again: this pack, or others, may fill what the log needs.
      auto write = [this, &gathered] {
        if (const Status writable = services_.deps.node.CheckWritable(); writable) {
          push_->WritePack(gathered);
        } else {
          push_->RefuseAll(writable.error());
        }
        return true;
      };
      co_await OnPool(services_.deps.git, std::move(write));
      gathered.clear();
    }
  }
  begin_ = std::move(gathered);  // The last piece goes the same way as the check.
  co_return Received::kWhole;
}

// A process will wait for the rest of this pack. False, and the push refused, if there is no place
// for one.
Awaitable<bool> ReceivePack::TakePlace() {
  if (!place_.has_value()) {
    Result<ChildGate::Permit> place = co_await services_.indexers.Acquire();
    if (!place) {
      push_->RefuseAll(place.error());
      co_return false;
    }
    place_.emplace(std::move(*place));
    exchange_.body().HoldToPace();
  }
  co_return true;
}

// As AwaitCallback(), and meanwhile the client is told that we are alive.
template <class T, class Start>
Awaitable<T> ReceivePack::WaitWithTicks(Start start) {
  std::function<Awaitable<void>()> tick = [this] { return Tick(); };
  const auto period = std::min(services_.options.keepalive_period, kProgressPeriod);
  co_return co_await AwaitWithTicks<T>(period, std::move(tick), std::move(start));
}

template <class Work>
Awaitable<std::invoke_result_t<Work&>> ReceivePack::WorkWithTicks(Work work) {
  using T = std::invoke_result_t<Work&>;
  auto start = [this, work = std::move(work)](Callback<T> done) mutable {
    services_.deps.git.Post(
        [work = std::move(work), done = std::move(done)]() mutable { std::move(done)(work()); });
  };
  co_return co_await WaitWithTicks<T>(std::move(start));
}

Awaitable<void> ReceivePack::Tick() {
  if (!speaks_side_bands() || gone_) {
    co_return;
  }
  std::string bytes;
  if (!push_->request().capabilities.quiet) {
    git::AppendSideband(bytes, git::Band::kProgress, push_->TakeProgress());
  }
  const std::chrono::nanoseconds now = services_.deps.clock.Monotonic();
  if (bytes.empty() && now - last_sent_ < services_.options.keepalive_period) {
    co_return;
  }
  if (bytes.empty()) {
    git::AppendKeepalive(bytes);
  }
  last_sent_ = now;
  co_await SendBytes(std::move(bytes));
}

Awaitable<void> ReceivePack::SendBytes(std::string bytes) {
  ResponseWriter& response = exchange_.response();
  if (!response.started()) {
    response.Start(GitHead(std::string(kResultType)));
  }
  const Status sent = co_await response.Write(bytes);
  if (!sent) {
    OnGone();
  }
}

// Nobody is told of a commit any more. What is not in the log yet need not get there. Of what is,
// whoever named it can ask, so nothing waits here for a log that may be without a majority.
void ReceivePack::OnGone() {
  gone_ = true;
  push_->CancelPack();
  if (commit_) {
    if (named_) {
      commit_->GiveUp();
    } else {
      commit_->Cancel();
    }
    QUORATE_FAULT("http.after_cancel");
  }
}

// On the pool; blocks.
void ReceivePack::CheckPack() {
  const std::chrono::nanoseconds began = services_.deps.clock.Monotonic();
  push_->WritePack(begin_);
  push_->FinishPack();
  services_.metrics.push_index_seconds.Observe(
      std::chrono::duration<double>(services_.deps.clock.Monotonic() - began).count());
}

Awaitable<void> ReceivePack::Commit() {
  std::chrono::nanoseconds began{0};
  std::string actor(exchange_.client_address());
  // One task: a hop to the pool and back costs as much as staging a small push.
  auto stage = [this, &actor, &began]() -> Result<std::optional<txn::Transaction>> {
    if (push_->request().expects_pack()) {
      CheckPack();
    }
    began = services_.deps.clock.Monotonic();
    if (push_->unpack_failed()) {
      return std::optional<txn::Transaction>();
    }
    return push_->Stage(std::move(actor));
  };
  Result<std::optional<txn::Transaction>> staged = co_await WorkWithTicks(std::move(stage));
  begin_ = {};
  place_.reset();
  if (gone_ && push_->unpack_failed()) {
    co_await AnswerNobody();
    co_return;
  }
  if (!staged && staged.error().code() == Code::kAlreadyExists) {
    co_await RepeatAnswer();
    co_return;
  }
  if (!staged) {
    co_await FailWith(Stage::kBeforeProposal, staged.error());
    co_return;
  }
  if (!staged->has_value()) {
    co_await Answer();
    co_return;
  }
  if (gone_) {
    auto abort = [&staged] { return (*staged)->Abort(); };  // Blocks: its pack is discarded.
    const Status aborted = co_await OnPool(services_.deps.git, std::move(abort));
    QUORATE_CHECK(aborted.has_value());
    co_await AnswerNobody();
    co_return;
  }
  QUORATE_FAULT("http.before_commit");
  auto start = [this, &staged](Callback<Result<txn::CommitOutcome>> done) {
    commit_ = repository_->transactions().Commit(std::move(**staged), std::move(done));
  };
  Result<txn::CommitOutcome> outcome =
      co_await WaitWithTicks<Result<txn::CommitOutcome>>(std::move(start));
  commit_.reset();
  services_.metrics.push_commit_seconds.Observe(
      std::chrono::duration<double>(services_.deps.clock.Monotonic() - began).count());
  if (outcome) {
    const Status reached = QUORATE_FAULT_STATUS("http.after_commit_before_report");
    if (!reached) {
      outcome = Error(Code::kOutcomeUnknown, reached.error().message());
    }
  }
  if (outcome) {
    push_->OnCommitted(*outcome);
    NoteLsn(outcome->lsn);
    co_await Answer();
  } else if (outcome.error().code() == Code::kAlreadyExists) {
    co_await RepeatAnswer();
  } else if (outcome.error().code() == Code::kConflict) {
    push_->OnNothingDone(outcome.error());
    co_await Answer();
  } else if (outcome.error().code() == Code::kCancelled) {
    co_await AnswerNobody();
  } else {
    co_await FailWith(Stage::kProposed, outcome.error());
  }
}

// The client went away before anything was done.
Awaitable<void> ReceivePack::AnswerNobody() {
  services_.metrics.CountPush("aborted");
  NoteAbort(ClientGone());
  exchange_.response().CloseAfterwards();
  if (!exchange_.response().started()) {
    co_await SendText(exchange_, 400, "the client went away");
  }
}

Awaitable<void> ReceivePack::Answer() {
  if (const std::optional<Error> reason = push_->ReasonOfAbort(); reason.has_value()) {
    NoteAbort(*reason);
  }
  services_.metrics.CountPush(std::string(push_->OutcomeName()));
  const git::PushCapabilities& capabilities = push_->request().capabilities;
  std::string bytes;
  if (capabilities.side_band_64k) {
    if (!capabilities.quiet) {
      git::AppendSideband(bytes, git::Band::kProgress, push_->TakeProgress());
    }
    git::AppendSideband(bytes, git::Band::kProgress, push_->messages());
  }
  bytes += git::RenderPushReport(capabilities, push_->Report());
  if (!exchange_.response().started()) {
    co_await SendResult(exchange_, bytes);
    co_return;
  }
  co_await SendBytes(std::move(bytes));
  if (!gone_) {
    const Status finished = co_await exchange_.response().Finish();
    static_cast<void>(finished);  // A client that left needs no answer.
  }
}

// An error that is not about a reference. Where it promises that nothing was done, so does the
// answer: by its status, or, once the response has begun, by a report that refuses everything.
Awaitable<void> ReceivePack::FailWith(Stage stage, const Error& error) {
  const bool unknown = stage == Stage::kProposed &&
                       (error.code() == Code::kOutcomeUnknown || error.code() == Code::kInternal);
  services_.metrics.CountPush(unknown ? "unknown" : "unavailable");
  if (unknown) {
    const std::string id = HexEncode(push_->transaction());
    std::string bytes;
    if (speaks_side_bands()) {
      git::AppendSideband(bytes, git::Band::kProgress,
                          "hint: quorate repo txn " + repository_->name() + " " + id +
                              " tells what became of it\n");
    }
    bytes += git::RenderPushFailure(
        push_->request().capabilities,
        "outcome unknown: " + error.message() + "; ask for transaction " + id);
    if (!exchange_.response().started()) {
      co_await SendResult(exchange_, bytes);
      co_return;
    }
    co_await SendBytes(bytes);
  } else if (!exchange_.response().started()) {
    co_await SendError(exchange_, error);
    co_return;
  } else {
    push_->OnNothingDone(error);
    std::string bytes;
    if (speaks_side_bands()) {
      git::AppendSideband(bytes, git::Band::kProgress, push_->messages());
    }
    bytes += git::RenderPushReport(push_->request().capabilities, push_->Report());
    co_await SendBytes(std::move(bytes));
  }
  if (!gone_) {
    const Status finished = co_await exchange_.response().Finish();
    static_cast<void>(finished);  // A client that left needs no answer.
  }
}

}  // namespace

Awaitable<void> HandleReceivePack(const Services& services, Exchange& exchange,
                                  RepositoryHandle repository, std::string name) {
  ReceivePack receive(services, exchange, std::move(repository), std::move(name));
  co_await receive.Run();
}

}  // namespace quorate::http
