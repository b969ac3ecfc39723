#include "http/internal/upload_pack.h"

#include <utility>

#include "base/bytes.h"
#include "git/advertisement.h"
#include "git/fetch_request.h"
#include "git/pkt_line.h"
#include "git/view.h"
#include "http/internal/hop.h"
#include "http/internal/ref_answers.h"
#include "http/internal/service_child.h"

namespace quorate::http {
namespace {

constexpr std::string_view kResultType = "application/x-git-upload-pack-result";
// A request up to this size is read whole before a process is started for it, so that a slow client
// does not occupy one.
constexpr std::size_t kGatherBytesMax = 256 << 10;

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
  if (error.code() == Code::kCancelled) {
    exchange.response().CloseAfterwards();
  }
  if (error.code() == Code::kInvalidArgument) {
    co_await SendErrorPacket(exchange, error.message());
  } else if (error.code() == Code::kResourceExhausted) {
    co_await SendText(exchange, 413, error.message());
  } else {
    co_await SendError(exchange, error);
  }
}

// One POST that a process answers.
class Fetch {
 public:
  Fetch(const Services& services, Exchange& exchange, RepositoryHandle repository,
        git::ProtocolVersion version)
      : services_(services),
        exchange_(exchange),
        repository_(std::move(repository)),
        version_(version) {}

  // `begin`: what was read of the request already.
  Awaitable<void> Run(std::string begin);

 private:
  Awaitable<Status> Gather();
  Awaitable<Result<std::unique_ptr<ServiceChild>>> StartChild();
  Awaitable<void> Feed(ServiceChild& child);
  Awaitable<void> Stream(ServiceChild& child);
  Awaitable<void> Conclude(ServiceChild& child);
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
  bool cut_ = false;           // The client is gone, or its request broke off.
  bool output_ended_ = false;  // The process needs no more input.
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
  Result<RepositoryView> read = co_await ReadRepository(services_, *repository_);
  if (!read) {
    co_return std::move(read).error();
  }
  auto render = [this, &read] { return RenderView(services_, *repository_, *read); };
  Result<std::shared_ptr<const ViewCache::View>> view =
      co_await OnPool(services_.deps.git, std::move(render));
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

Awaitable<void> Fetch::Run(std::string begin) {
  begin_ = std::move(begin);
  const Status gathered = co_await Gather();
  if (!gathered) {
    co_await SendRequestError(exchange_, gathered.error());
    co_return;
  }
  Result<ChildGate::Permit> permit = co_await services_.children.Acquire();
  if (!permit) {
    co_await SendError(exchange_, permit.error());
    co_return;
  }
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
        cut_ = true;
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
      cut_ = true;
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
    const Status sent = co_await response.Write(piece);
    if (!sent) {
      cut_ = true;
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

Awaitable<void> Fetch::Conclude(ServiceChild& child) {
  const Result<int> waited = co_await child.Wait();
  const int status = waited ? *waited : 128;
  ResponseWriter& response = exchange_.response();
  if (status != 0 && !cut_) {
    LogFailure(status);
  }
  if (cut_ || status > 128) {
    // Not finishing the answer tells whoever still listens that it is incomplete.
    if (!response.started() && !cut_) {
      co_await SendText(exchange_, 500, "git upload-pack was killed");
    }
    co_return;
  }
  if (!response.started()) {
    if (status != 0) {
      co_await SendText(exchange_, 500, "git upload-pack failed");
      co_return;
    }
    response.Start(GitHead(std::string(kResultType)));  // Nothing to say is an answer, too.
  }
  // A process that failed has told the client why, in an ERR packet or on side band 3.
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
      fed = std::move(piece).error();
      break;
    }
    std::string_view more = *piece;
    fed = more.empty() ? parser.Finish() : parser.Feed(more);
  }
  if (!fed) {
    co_await SendRequestError(exchange, fed.error());
    co_return;
  }
  Result<RepositoryView> view = co_await ReadRepository(services, repository);
  if (!view) {
    co_await SendError(exchange, view.error());
    co_return;
  }
  auto render = [&] { return RenderLsRefs(services, repository, *view, parser.request()); };
  const Result<RefCache::Answer> answer = co_await OnPool(services.deps.git, std::move(render));
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
      co_await SendRequestError(exchange, piece.error());
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
  if (head.command == git::V2Command::kNone) {
    co_await SendResult(exchange, "");
  } else if (head.command == git::V2Command::kLsRefs) {
    co_await HandleLsRefs(services, exchange, *repository, std::move(rest), head.has_arguments);
  } else {
    Fetch fetch(services, exchange, std::move(repository), git::ProtocolVersion::kV2);
    std::string begin = parser.bytes() + rest;
    co_await fetch.Run(std::move(begin));
  }
}

Awaitable<void> HandleV0(const Services& services, Exchange& exchange, RepositoryHandle repository,
                         git::ProtocolVersion version) {
  std::string begin;
  bool ended = false;
  git::UploadRequestKind kind = git::UploadRequestKind::kNeedsMore;
  while (!ended && kind == git::UploadRequestKind::kNeedsMore) {
    Result<std::string_view> piece = co_await exchange.body().Read();
    if (!piece) {
      co_await SendRequestError(exchange, piece.error());
      co_return;
    }
    ended = piece->empty();
    begin += *piece;
    kind = git::ProbeUploadRequest(begin);
  }
  if (kind == git::UploadRequestKind::kNegotiation) {
    Fetch fetch(services, exchange, std::move(repository), version);
    co_await fetch.Run(std::move(begin));
  } else if (kind == git::UploadRequestKind::kFlushOnly) {
    co_await SendResult(exchange, "");
  } else {
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
  } else {
    Result<RepositoryView> view = co_await ReadRepository(services, *repository);
    if (!view) {
      co_await SendError(exchange, view.error());
      co_return;
    }
    auto render = [&] {
      return RenderAdvertisement(services, *repository, *view, service, version);
    };
    Result<RefCache::Answer> rendered = co_await OnPool(services.deps.git, std::move(render));
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
