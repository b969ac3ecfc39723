#include "http/internal/upload_pack.h"

#include <optional>
#include <utility>

#include "base/bytes.h"
#include "git/advertisement.h"
#include "git/fetch_request.h"
#include "git/pkt_line.h"
#include "git/view.h"
#include "http/internal/hop.h"
#include "http/internal/in_process_fetch.h"
#include "http/internal/ref_answers.h"
#include "http/internal/service_child.h"

namespace quorate::http {
namespace {

constexpr std::string_view kResultType = "application/x-git-upload-pack-result";
// A request up to this size is read whole before a process is started for it, so that a slow client
// does not occupy one.
constexpr std::size_t kGatherBytesMax = 256 << 10;
// What a process says is remembered up to here, in case it fails. A packet fits.
constexpr std::size_t kSaidBytesMax = 64 << 10;

Awaitable<void> SendResult(Exchange& exchange, std::string_view body) {
  ResponseHead head = GitHead(std::string(kResultType));
  const Status sent = co_await exchange.response().Send(std::move(head), body);
  static_cast<void>(sent);  // A client that left needs no answer.
}

Awaitable<void> SendErrorPacket(Exchange& exchange, std::string_view message) {
  std::string packet;
  git::AppendErrorPacket(packet, message);
  co_await SendResult(exchange, packet);
}

// What is wrong with a request is told in Git's own way where a client can be expected to show it.
Awaitable<void> SendRequestError(Exchange& exchange, const Error& error) {
  if (error.code() == Code::kInvalidArgument) {
    co_await SendErrorPacket(exchange, error.message());
  } else {
    co_await SendBodyError(exchange, error);
  }
}

// Whether an ERR packet may follow what a process said so far: whole packets, and nothing yet of a
// pack, of side bands or of another ERR.
bool MayTellError(std::string_view said) {
  while (!said.empty()) {
    const Result<std::optional<git::Packet>> packet = git::TakePacket(said);
    if (!packet || !packet->has_value()) {
      return false;
    }
    const std::string_view text = git::WithoutNewline((*packet)->payload);
    const bool in_band = !text.empty() && text.front() >= 1 && text.front() <= 3;
    if (in_band || text == "packfile" || text.starts_with("ERR ")) {
      return false;
    }
  }
  return true;
}

// What `git upload-pack` died of, out of what it said on stderr; empty if that is not clear.
std::string CauseOf(std::string_view errors) {
  constexpr std::string_view kFatal = "fatal: ";
  constexpr std::string_view kSelf = "git upload-pack: ";
  const std::size_t at = errors.find(kFatal);
  if (at == std::string_view::npos) {
    return "";
  }
  errors.remove_prefix(at + kFatal.size());
  errors = errors.substr(0, errors.find('\n'));
  if (errors == "the remote end hung up unexpectedly") {
    return "the request ends too early";
  }
  if (errors.starts_with(kSelf)) {
    errors.remove_prefix(kSelf.size());
  }
  return Printable(errors);
}

// One POST that a process answers, unless it is small.
class Fetch {
 public:
  Fetch(const Services& services, Exchange& exchange, RepositoryHandle repository,
        git::ProtocolVersion version)
      : services_(services),
        exchange_(exchange),
        repository_(std::move(repository)),
        version_(version) {}

  // `begin`: what was read of the request already. `arguments`: where in it the arguments of a v2
  // fetch begin, if this is one.
  Awaitable<void> Run(std::string begin, std::optional<std::size_t> arguments = std::nullopt);

 private:
  Awaitable<void> RunProcess();
  Awaitable<Status> Gather();
  Awaitable<Result<std::unique_ptr<ServiceChild>>> StartChild();
  Awaitable<void> Feed(ServiceChild& child);
  Awaitable<void> Stream(ServiceChild& child);
  Awaitable<void> Conclude(ServiceChild& child);
  void RememberOutput(std::string_view piece);
  Awaitable<void> TellFailure(int status);
  void LogFailure(int status);

  const Services& services_;
  Exchange& exchange_;
  const RepositoryHandle repository_;
  const git::ProtocolVersion version_;

  std::string begin_;  // Of the request; read, not yet fed.
  bool body_ended_ = false;
  std::shared_ptr<const ViewCache::View> view_;
  std::string errors_;  // What the process said on stderr.
  std::unique_ptr<Exchange::GoneWatch> watch_;
  std::optional<Error> cut_;   // The client is gone, or its request broke off or is too long.
  bool output_ended_ = false;  // The process needs no more input.
  std::optional<std::string> said_{std::in_place};  // By the process; none once that is long.
};

Awaitable<Status> Fetch::Gather() {
  while (!body_ended_ && begin_.size() < kGatherBytesMax) {
    Result<std::string_view> piece = co_await exchange_.body().Read();
    if (!piece) {
      co_return std::move(piece).error();
    }
    body_ended_ = piece->empty();
    begin_ += *piece;
  }
  co_return Ok();
}

Awaitable<Result<std::unique_ptr<ServiceChild>>> Fetch::StartChild() {
  auto render = [this](const RepositoryView& read) {
    return RenderView(services_, *repository_, read);
  };
  Result<std::shared_ptr<const ViewCache::View>> view =
      co_await ReadRepository(services_, *repository_, std::move(render));
  if (!view) {
    co_return std::move(view).error();
  }
  view_ = std::move(*view);
  git::UploadPackOptions options;
  options.view = view_->path();
  options.objects_directory = repository_->objects().objects_directory();
  options.version = version_;
  options.path_variable = services_.options.path_variable;
  options.pack_threads = services_.options.pack_threads;
  git::CommandLine command = git::UploadPackCommand(options);
  co_return co_await ServiceChild::Launch(services_.deps.children, services_.deps.git,
                                          std::move(command));
}

Awaitable<void> Fetch::Run(std::string begin, std::optional<std::size_t> arguments) {
  begin_ = std::move(begin);
  const Status gathered = co_await Gather();
  if (!gathered) {
    co_await SendBodyError(exchange_, gathered.error());
    co_return;
  }
  if (body_ended_ && arguments.has_value()) {
    const std::optional<std::string> answer = co_await AnswerInProcess(
        services_, *repository_, std::string_view(begin_).substr(*arguments));
    if (answer.has_value()) {
      exchange_.notes().by = "memory";
      services_.metrics.fetches_by_memory.Add();
      co_await SendResult(exchange_, *answer);
      co_return;
    }
  }
  exchange_.notes().by = "process";
  services_.metrics.fetches_by_process.Add();
  co_await RunProcess();
}

Awaitable<void> Fetch::RunProcess() {
  Result<ChildGate::Permit> permit = co_await services_.children.Acquire();
  if (!permit) {
    co_await SendError(exchange_, permit.error());
    co_return;
  }
  exchange_.body().HoldToPace();
  Result<std::unique_ptr<ServiceChild>> child = co_await StartChild();
  if (!child) {
    co_await SendError(exchange_, child.error());
    co_return;
  }
  services_.metrics.children_started.Add();

  // Three run at the same time; the process could block on any pipe that nobody serves.
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer ended(executor, asio::steady_timer::time_point::max());
  int running = 2;
  ServiceChild& process = **child;
  const auto on_end = [&running, &ended](const std::exception_ptr& thrown) {
    QUORATE_CHECK(thrown == nullptr);
    running -= 1;
    ended.cancel();
  };
  auto feed = [this, &process]() { return Feed(process); };
  auto collect = [this, &process]() -> Awaitable<void> {
    errors_ = co_await process.CollectErrors();
  };
  asio::co_spawn(executor, feed, on_end);
  asio::co_spawn(executor, collect, on_end);
  co_await Stream(process);
  while (running > 0) {
    error_code ignored;  // It only ever ends by being cancelled.
    co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    ended.expires_at(asio::steady_timer::time_point::max());
  }
  co_await Conclude(process);
}

Awaitable<void> Fetch::Feed(ServiceChild& child) {
  Status fed = co_await child.WriteInput(begin_);
  begin_ = {};
  while (fed && !body_ended_) {
    Result<std::string_view> piece = co_await exchange_.body().Read();
    if (!piece) {
      if (!output_ended_) {
        cut_ = std::move(piece).error();
        child.Kill();
      }
      break;
    }
    body_ended_ = piece->empty();
    if (!body_ended_) {
      fed = co_await child.WriteInput(*piece);
    }
  }
  child.CloseInput();
  // The client's disappearance is noticed while the process is silent, too: a clone that nobody
  // waits for must not cost minutes of packing.
  if (body_ended_ && !output_ended_) {
    watch_ = exchange_.WatchGone([this, &child] {
      cut_ = ClientGone();
      child.Kill();
    });
  }
}

Awaitable<void> Fetch::Stream(ServiceChild& child) {
  ResponseWriter& response = exchange_.response();
  for (;;) {
    const std::string_view piece = co_await child.ReadOutput();
    if (piece.empty()) {
      break;
    }
    if (!response.started()) {
      response.Start(GitHead(std::string(kResultType)));
    }
    RememberOutput(piece);
    const Status sent = co_await response.Write(piece);
    if (!sent) {
      cut_ = sent.error();
      child.Kill();
      break;
    }
  }
  output_ended_ = true;
  watch_.reset();
  if (!body_ended_) {
    exchange_.StopReading();  // Feed() may be waiting for what nobody needs any more.
  }
}

void Fetch::RememberOutput(std::string_view piece) {
  if (said_.has_value() && said_->size() + piece.size() <= kSaidBytesMax) {
    *said_ += piece;
  } else {
    said_.reset();
  }
}

Awaitable<void> Fetch::Conclude(ServiceChild& child) {
  const Result<int> waited = co_await child.Wait();
  const int status = waited ? *waited : 128;
  ResponseWriter& response = exchange_.response();
  if (cut_.has_value()) {
    // Not finishing an answer that has begun tells whoever still listens that it is incomplete.
    if (!response.started()) {
      co_await SendBodyError(exchange_, *cut_);
    }
    co_return;
  }
  if (status != 0) {
    LogFailure(status);
    co_await TellFailure(status);
    co_return;
  }
  if (!response.started()) {
    response.Start(GitHead(std::string(kResultType)));  // Nothing to say is an answer, too.
  }
  const Status sent = co_await response.Finish();
  static_cast<void>(sent);  // A client that left needs no answer.
}

// A process that refuses a request for what it says dies without a word to the client, but for a
// few cases. An ERR packet says it in a way that Git shows.
Awaitable<void> Fetch::TellFailure(int status) {
  ResponseWriter& response = exchange_.response();
  const bool killed = status > 128;
  if (killed && !response.started()) {
    co_await SendText(exchange_, 503, "git upload-pack was killed");
    co_return;
  }
  if (said_.has_value() && MayTellError(*said_)) {
    const std::string cause = CauseOf(errors_);
    // What is about our files is for the log.
    const bool unfit = killed || cause.empty() || cause.find(view_->path()) != std::string::npos ||
                       cause.find(repository_->objects().objects_directory()) != std::string::npos;
    const std::string message = "upload-pack: " + (unfit ? "failed on the server" : cause);
    if (!response.started()) {
      co_await SendErrorPacket(exchange_, message);
      co_return;
    }
    std::string packet;
    git::AppendErrorPacket(packet, message);
    const Status sent = co_await response.Write(packet);
    static_cast<void>(sent);  // Finish() finds out, too.
  } else if (killed) {
    co_return;  // The cut shows that the answer is incomplete.
  }
  const Status sent = co_await response.Finish();
  static_cast<void>(sent);  // A client that left needs no answer.
}

void Fetch::LogFailure(int status) {
  const std::string errors = Printable(errors_, 500);
  services_.deps.logger.Warn("git upload-pack failed",
                             {{"repository", std::string_view(repository_->name())},
                              {"status", static_cast<std::uint64_t>(status)},
                              {"stderr", std::string_view(errors)}});
}

Awaitable<void> HandleLsRefs(const Services& services, Exchange& exchange,
                             cluster::Repository& repository, std::string rest,
                             bool has_arguments) {
  git::LsRefsParser parser;
  std::string_view left = rest;
  Status fed = has_arguments ? parser.Feed(left) : Ok();
  while (fed && has_arguments && !parser.complete()) {
    Result<std::string_view> piece = co_await exchange.body().Read();
    if (!piece) {
      co_await SendBodyError(exchange, piece.error());
      co_return;
    }
    std::string_view more = *piece;
    fed = more.empty() ? parser.Finish() : parser.Feed(more);
  }
  if (!fed) {
    co_await SendRequestError(exchange, fed.error());
    co_return;
  }
  if (const RefCache::Answer known = FindLsRefs(services, repository, parser.request())) {
    co_await SendResult(exchange, *known);
    co_return;
  }
  auto render = [&](const RepositoryView& view) {
    return RenderLsRefs(services, repository, view, parser.request());
  };
  const Result<RefCache::Answer> answer =
      co_await ReadRepository(services, repository, std::move(render));
  if (!answer) {
    co_await SendError(exchange, answer.error());
    co_return;
  }
  co_await SendResult(exchange, **answer);
}

Awaitable<void> HandleV2(const Services& services, Exchange& exchange,
                         RepositoryHandle repository) {
  git::V2RequestParser parser(repository->format());
  std::string rest;
  while (!parser.complete()) {
    Result<std::string_view> piece = co_await exchange.body().Read();
    if (!piece) {
      co_await SendBodyError(exchange, piece.error());
      co_return;
    }
    std::string_view left = *piece;
    const bool ended = left.empty();
    const Status fed = ended ? parser.Finish() : parser.Feed(left);
    if (!fed) {
      co_await SendRequestError(exchange, fed.error());
      co_return;
    }
    rest = left;
    if (ended) {
      break;
    }
  }
  const git::V2RequestHead& head = parser.head();
  exchange.notes().session = head.session_id;
  if (head.command == git::V2Command::kNone) {
    co_await SendResult(exchange, "");
  } else if (head.command == git::V2Command::kLsRefs) {
    co_await HandleLsRefs(services, exchange, *repository, std::move(rest), head.has_arguments);
  } else {
    Fetch fetch(services, exchange, std::move(repository), git::ProtocolVersion::kV2);
    std::string begin = parser.bytes() + rest;
    std::optional<std::size_t> arguments;
    if (head.command == git::V2Command::kFetch && head.has_arguments) {
      arguments = parser.bytes().size();
    }
    co_await fetch.Run(std::move(begin), arguments);
  }
}

Awaitable<void> HandleV0(const Services& services, Exchange& exchange, RepositoryHandle repository,
                         git::ProtocolVersion version) {
  git::UploadRequestProbe probe(repository->format());
  std::string begin;
  bool ended = false;
  while (!ended && probe.kind() == git::UploadRequestProbe::Kind::kNeedsMore) {
    Result<std::string_view> piece = co_await exchange.body().Read();
    if (!piece) {
      co_await SendBodyError(exchange, piece.error());
      co_return;
    }
    ended = piece->empty();
    begin += *piece;
    const Status looked = probe.Look(begin);
    if (!looked) {
      co_await SendRequestError(exchange, looked.error());
      co_return;
    }
  }
  exchange.notes().session = probe.session_id();
  switch (probe.kind()) {
    case git::UploadRequestProbe::Kind::kNegotiation: {
      Fetch fetch(services, exchange, std::move(repository), version);
      co_await fetch.Run(std::move(begin));
      break;
    }
    case git::UploadRequestProbe::Kind::kFlushOnly:
      co_await SendResult(exchange, "");
      break;
    case git::UploadRequestProbe::Kind::kNeedsMore:
      co_await SendText(exchange, 400, "the request ends within its first packet");
  }
}

}  // namespace

Awaitable<void> HandleInfoRefs(const Services& services, Exchange& exchange,
                               RepositoryHandle repository, git::Service service) {
  git::ProtocolVersion version = git::ParseGitProtocol(exchange.head().Find("git-protocol"));
  ResponseHead head =
      GitHead("application/x-" + std::string(git::ServiceName(service)) + "-advertisement");
  RefCache::Answer answer;
  if (service == git::Service::kReceivePack && version == git::ProtocolVersion::kV2) {
    version = git::ProtocolVersion::kV0;  // v2 knows no push.
  }
  if (repository == nullptr) {
    answer = std::make_shared<const std::string>(
        RenderEmptyAdvertisement(git::ObjectFormat::kSha1, version));
  } else if (version == git::ProtocolVersion::kV2) {
    git::V2CapabilityOptions options;
    options.format = repository->format();
    options.agent = std::string(kAgent);
    std::string text;
    git::AppendV2Capabilities(text, options);
    answer = std::make_shared<const std::string>(std::move(text));
  } else if (answer = FindAdvertisement(services, *repository, service, version);
             answer == nullptr) {
    auto render = [&](const RepositoryView& view) {
      return RenderAdvertisement(services, *repository, view, service, version);
    };
    Result<RefCache::Answer> rendered =
        co_await ReadRepository(services, *repository, std::move(render));
    if (!rendered) {
      co_await SendError(exchange, rendered.error());
      co_return;
    }
    answer = std::move(*rendered);
  }
  const Status sent = co_await exchange.response().Send(std::move(head), *answer);
  static_cast<void>(sent);  // A client that left needs no answer.
}

Awaitable<void> HandleUploadPack(const Services& services, Exchange& exchange,
                                 RepositoryHandle repository) {
  exchange.body().LimitBytes(services.options.negotiation_bytes_max);
  const git::ProtocolVersion version = git::ParseGitProtocol(exchange.head().Find("git-protocol"));
  if (version == git::ProtocolVersion::kV2) {
    co_await HandleV2(services, exchange, std::move(repository));
  } else {
    co_await HandleV0(services, exchange, std::move(repository), version);
  }
}

}  // namespace quorate::http
