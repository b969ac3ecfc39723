// The transport alone: a raw client against a listener with small handlers, on loopback.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "env/posix/clock.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "http/internal/listener.h"
#include "http/testing/raw_client.h"

namespace quorate::http {
namespace {

using std::chrono::milliseconds;

// Answers with the body, or with what is wrong with it.
Awaitable<void> Echo(Exchange& exchange) {
  if (exchange.head().Find("Content-Encoding") == "gzip") {
    exchange.body().DecodeGzip();
  }
  exchange.body().LimitBytes(1 << 20);
  std::string body;
  for (;;) {
    Result<std::string_view> piece = co_await exchange.body().Read();
    if (!piece) {
      body = std::string(CodeName(piece.error().code())) + ": " + piece.error().message();
      break;
    }
    if (piece->empty()) {
      break;
    }
    body += *piece;
  }
  ResponseHead head = PlainTextHead(200);
  const Status sent = co_await exchange.response().Send(std::move(head), body);
  static_cast<void>(sent);  // The client sees what it got.
}

class TransportTest : public ::testing::Test {
 protected:
  void Start(Handler handler) {
    listener_ = std::move(Listener::Start(options_, deps_, std::move(handler))).value();
  }
  std::uint16_t port() const { return listener_->port(); }

  // Sends all of `request` on a connection of its own and returns all that comes back until it
  // ends.
  std::string Talk(std::string_view request) {
    RawClient client(port());
    client.Send(request);
    return client.ReadToEnd();
  }
  static std::string StatusLine(const std::string& response) {
    return response.substr(0, response.find("\r\n"));
  }
  static std::string Body(const std::string& response) {
    const std::size_t at = response.find("\r\n\r\n");
    return at == std::string::npos ? "" : response.substr(at + 4);
  }

  TransportOptions options_{.threads = 2};
  env::PosixClock clock_;
  env::RecordingLogger logger_;
  env::FakeMetrics metrics_;
  TransportDeps deps_{clock_,
                      logger_,
                      metrics_.GetGauge("connections", "", {}),
                      metrics_.GetCounter("refused", "", {}),
                      metrics_.GetCounter("in", "", {}),
                      metrics_.GetCounter("out", "", {})};
  std::unique_ptr<Listener> listener_;
};

TEST_F(TransportTest, AConnectionServesRequestAfterRequest) {
  Start(Echo);
  RawClient client(port());

  client.Send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none");
  const std::string first = client.ReadResponse();
  client.Send(
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\ntw\r\n1;x=y\r\no\r\n0\r\n\r\n");
  const std::string second = client.ReadResponse();

  EXPECT_EQ(Body(first), "one");
  EXPECT_EQ(Body(second), "two");
}

TEST_F(TransportTest, RequestsSentAtOnceAreAnsweredInOrder) {
  Start(Echo);

  const std::string answers = Talk(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nA"
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\nB");

  const std::size_t first = answers.find("\r\n\r\nA");
  const std::size_t second = answers.find("\r\n\r\nB");
  ASSERT_NE(first, std::string::npos);
  EXPECT_GT(second, first);
}

TEST_F(TransportTest, ABodyThatTheHandlerIgnoresIsNotTakenForARequest) {
  Start([](Exchange& exchange) -> Awaitable<void> {
    ResponseHead head = PlainTextHead(200);
    const std::string path(exchange.head().target());
    const Status sent = co_await exchange.response().Send(std::move(head), path);
    static_cast<void>(sent);
  });

  const std::string answers = Talk(
      "POST /first HTTP/1.1\r\nHost: h\r\nContent-Length: 26\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
      "GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  EXPECT_NE(answers.find("/first"), std::string::npos);
  EXPECT_NE(answers.find("/second"), std::string::npos);
  EXPECT_EQ(answers.find("/smuggled"), std::string::npos);
}

TEST_F(TransportTest, RequestsWhoseEndIsInDoubtAreRefused) {
  Start(Echo);
  struct Row {
    const char* headers;
    const char* status;
  };
  const Row rows[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n", "501"},
      {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x4\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 4\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nHost: i\r\n", "400"},
      {"POST / HTTP/1.1\r\nContent-Length: 0\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nExpect: wonders\r\n", "417"},
      {"POST / HTTP/3.0\r\nHost: h\r\n", "400"},
      {"POST h:80 HTTP/1.1\r\nHost: h\r\n", "400"},
      {"nonsense\r\n", "400"},
  };

  for (const Row& row : rows) {
    const std::string answer = Talk(std::string(row.headers) + "\r\n0\r\n\r\n");

    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 " + std::string(row.status)) << row.headers;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << row.headers;
  }
}

TEST_F(TransportTest, AHeaderBeyondTheLimitIsRefused) {
  options_.header_bytes_max = 1000;
  Start(Echo);

  const std::string answer =
      Talk("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");

  EXPECT_EQ(StatusLine(answer), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(TransportTest, ATargetBeyondTheLimitIsRefused) {
  options_.header_bytes_max = 1000;
  Start(Echo);

  const std::string answer =
      Talk("GET /" + std::string(2000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(StatusLine(answer), "HTTP/1.1 414 URI Too Long");
}

TEST_F(TransportTest, AClientThatDribblesItsHeaderIsCutOff) {
  options_.header_timeout = milliseconds(30);
  Start(Echo);

  EXPECT_EQ(Talk("GET / HTTP/1.1\r\nHost:"), "");
}

TEST_F(TransportTest, AClientThatSaysNothingIsCutOff) {
  options_.idle_timeout = milliseconds(30);
  Start(Echo);

  EXPECT_EQ(Talk(""), "");
}

TEST_F(TransportTest, AClientThatStopsWithinItsBodyIsCutOff) {
  options_.read_timeout = milliseconds(30);
  std::promise<std::string> seen;
  Start([&seen](Exchange& exchange) -> Awaitable<void> {
    Result<std::string_view> first = co_await exchange.body().Read();
    Result<std::string_view> second = co_await exchange.body().Read();
    seen.set_value(std::string(*first) + "|" + std::string(CodeName(second.error().code())));
  });

  Talk("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");

  EXPECT_EQ(seen.get_future().get(), "half|cancelled");
}

TEST_F(TransportTest, ABodySlowerThanTheLeastRateIsCutOffThoughBytesKeepComing) {
  options_.body_grace = milliseconds(50);
  options_.body_bytes_per_second_min = 1 << 20;
  std::promise<Code> seen;
  Start([&seen](Exchange& exchange) -> Awaitable<void> {
    for (;;) {
      Result<std::string_view> piece = co_await exchange.body().Read();
      if (!piece) {
        seen.set_value(piece.error().code());
        co_return;
      }
      ResponseWriter& response = exchange.response();
      if (!response.started()) {
        response.Start(PlainTextHead(200));
      }
      const Status sent = co_await response.Write("more, please\n");
      static_cast<void>(sent);
    }
  });
  RawClient client(port());

  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n.");
  while (!client.ReadUntil("please").empty() && client.Send(".")) {
  }

  EXPECT_EQ(seen.get_future().get(), Code::kCancelled);
}

TEST_F(TransportTest, AClientThatDoesNotReadItsAnswerIsCutOffLongBeforeTheWriteTimeout) {
  options_.pace_grace = milliseconds(50);
  options_.pace_bytes_per_second_min = 1 << 30;
  std::promise<std::string> seen;
  Start([&seen](Exchange& exchange) -> Awaitable<void> {
    ResponseWriter& response = exchange.response();
    response.Start(PlainTextHead(200));
    const std::string piece(64 << 10, 'x');
    for (;;) {
      const Status sent = co_await response.Write(piece);
      if (!sent) {
        seen.set_value(sent.error().message());
        co_return;
      }
    }
  });
  RawClient client(port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(seen.get_future().get(), "the client reads its answer too slowly");
}

TEST_F(TransportTest, GzipBodiesAreDecoded) {
  Start(Echo);
  const std::string packed = Gzip(std::string(300'000, 'z') + "end");

  const std::string answer = Talk(
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
      "Content-Encoding: gzip\r\nContent-Length: " +
      std::to_string(packed.size()) + "\r\n\r\n" + packed);

  EXPECT_EQ(Body(answer), std::string(300'000, 'z') + "end");
}

TEST_F(TransportTest, AllMembersOfAGzipBodyAreDecoded) {
  Start(Echo);
  const std::string packed = Gzip("one, ") + Gzip("") + Gzip(std::string(100'000, 'z')) + Gzip("!");
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: gzip\r\n";

  const std::string whole =
      Talk(head + "Content-Length: " + std::to_string(packed.size()) + "\r\n\r\n" + packed);
  // Byte by byte, so that every border of members and pieces falls together once.
  std::string chunks;
  for (const char byte : packed) {
    chunks += std::string("1\r\n") + byte + "\r\n";
  }
  const std::string dribbled =
      Talk(head + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  const std::string cut = packed.substr(0, packed.size() - 1);

  EXPECT_EQ(Body(whole), "one, " + std::string(100'000, 'z') + "!");
  EXPECT_EQ(Body(dribbled), Body(whole));
  EXPECT_EQ(Body(Talk(head + "Content-Length: " + std::to_string(cut.size()) + "\r\n\r\n" + cut)),
            "invalid_argument: the gzip body ends too early");
}

TEST_F(TransportTest, AGzipBodyThatExpandsBeyondTheLimitIsStopped) {
  Start(Echo);
  const std::string packed = Gzip(std::string(50 << 20, '\0'));
  ASSERT_LT(packed.size(), 100'000U);

  const std::string answer = Talk(
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
      "Content-Encoding: gzip\r\nContent-Length: " +
      std::to_string(packed.size()) + "\r\n\r\n" + packed);

  EXPECT_EQ(Body(answer), "resource_exhausted: the request is larger than 1048576 bytes");
}

TEST_F(TransportTest, BrokenGzipIsTold) {
  Start(Echo);
  const std::string whole = Gzip("some text that is compressed");
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: "
      "gzip\r\nContent-Length: ";
  const std::string cut = whole.substr(0, whole.size() - 9);
  const std::string longer = whole + "xx";

  EXPECT_EQ(Body(Talk(head + std::to_string(cut.size()) + "\r\n\r\n" + cut)),
            "invalid_argument: the gzip body ends too early");
  EXPECT_EQ(Body(Talk(head + "8\r\n\r\nnot gzip")),
            "invalid_argument: the body is not a valid gzip stream");
  EXPECT_EQ(Body(Talk(head + std::to_string(longer.size()) + "\r\n\r\n" + longer)),
            "invalid_argument: the body is not a valid gzip stream");
}

TEST_F(TransportTest, AClientThatAsksFirstIsToldToContinue) {
  Start(Echo);
  RawClient client(port());

  client.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const std::string interim = client.ReadUntil("\r\n\r\n");
  client.Send("ok");

  EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(Body(client.ReadResponse()), "ok");
}

TEST_F(TransportTest, BeyondTheLimitOfConnectionsClientsAreTurnedAway) {
  options_.connections_max = 1;
  Start(Echo);
  RawClient first(port());
  first.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
  ASSERT_EQ(Body(first.ReadResponse()), "1");

  const std::string answer = Talk("");

  EXPECT_EQ(StatusLine(answer), "HTTP/1.1 503 Service Unavailable");
  EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
  EXPECT_EQ(metrics_.Value("refused"), 1);
}

TEST_F(TransportTest, PiecesOfAnAnswerLeaveAtOnce) {
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  Start([gone](Exchange& exchange) -> Awaitable<void> {
    ResponseWriter& response = exchange.response();
    response.Start(PlainTextHead(200));
    Status sent = co_await response.Write("first");
    gone.wait();
    sent = co_await response.Write("second");
    sent = co_await response.Finish();
    static_cast<void>(sent);
  });
  RawClient client(port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string begin = client.ReadUntil("5\r\nfirst\r\n");
  go.set_value();
  const std::string end = client.ReadToEnd();

  EXPECT_NE(begin.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_EQ(end, "6\r\nsecond\r\n0\r\n\r\n");
}

TEST_F(TransportTest, Http10ClientsGetNoChunks) {
  Start([](Exchange& exchange) -> Awaitable<void> {
    ResponseWriter& response = exchange.response();
    response.Start(PlainTextHead(200));
    Status sent = co_await response.Write("old");
    sent = co_await response.Finish();
    static_cast<void>(sent);
  });

  const std::string answer = Talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

  EXPECT_EQ(Body(answer), "old");
  EXPECT_EQ(answer.find("chunked"), std::string::npos);
}

TEST_F(TransportTest, HeadHasALengthAndNoBody) {
  Start([](Exchange& exchange) -> Awaitable<void> {
    ResponseHead head = PlainTextHead(405);
    const Status sent = co_await exchange.response().Send(std::move(head), "no body");
    static_cast<void>(sent);
  });

  const std::string answer = Talk("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  EXPECT_NE(answer.find("Content-Length: 7"), std::string::npos);
  EXPECT_EQ(Body(answer), "");
}

TEST_F(TransportTest, AnAnswerThatWasNotFinishedIsCutSoThatItShows) {
  Start([](Exchange& exchange) -> Awaitable<void> {
    exchange.response().Start(PlainTextHead(200));
    const Status sent = co_await exchange.response().Write("half");
    static_cast<void>(sent);
  });

  const std::string answer = Talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(Body(answer), "4\r\nhalf\r\n");
}

TEST_F(TransportTest, AHandlerThatThrowsIsAnInternalError) {
  Start([](Exchange& exchange) -> Awaitable<void> {
    if (exchange.head().target() == "/") {
      throw std::runtime_error("planted");
    }
    co_return;
  });

  const std::string answer = Talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(StatusLine(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(logger_.Count("planted"), 1);
}

TEST_F(TransportTest, AHandlerLearnsThatItsClientLeft) {
  std::promise<void> waiting;
  std::promise<void> gone;
  Start([&](Exchange& exchange) -> Awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, std::chrono::seconds(20));
    bool left = false;
    const auto watch = exchange.WatchGone([&] {
      left = true;
      timer.cancel();
    });
    waiting.set_value();
    error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (left) {
      gone.set_value();
    }
  });
  RawClient client(port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  waiting.get_future().wait();
  client.Close();

  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(TransportTest, StoppingClosesIdleConnectionsAndLetsRequestsEnd) {
  std::promise<void> running;
  std::promise<void> go;
  std::shared_future<void> released = go.get_future().share();
  Start([&running, released](Exchange& exchange) -> Awaitable<void> {
    if (exchange.head().target() == "/slow") {
      running.set_value();
      released.wait();
    }
    ResponseHead head = PlainTextHead(200);
    const Status sent = co_await exchange.response().Send(std::move(head), "done");
    static_cast<void>(sent);
  });
  RawClient idle(port());
  idle.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(Body(idle.ReadResponse()), "done");
  RawClient busy(port());
  busy.Send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  running.get_future().wait();

  std::thread stopper([this] { listener_->Stop(std::chrono::seconds(20), [] {}); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  go.set_value();
  EXPECT_EQ(Body(busy.ReadToEnd()), "done");
  stopper.join();

  EXPECT_EQ(metrics_.Value("connections"), 0);
}

TEST_F(TransportTest, StoppingCutsOffWhoeverOutlastsTheDrain) {
  std::promise<void> running;
  Start([&running](Exchange& exchange) -> Awaitable<void> {
    running.set_value();
    const Result<std::string_view> never = co_await exchange.body().Read();
    EXPECT_FALSE(never.has_value());
  });
  RawClient client(port());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
  running.get_future().wait();

  listener_->Stop(milliseconds(1), [] {});

  EXPECT_EQ(client.ReadToEnd(), "");
}

}  // namespace
}  // namespace quorate::http
