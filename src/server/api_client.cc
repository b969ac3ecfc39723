#include "server/api_client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "server/config.h"

namespace quorate::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::uint64_t kAnswerBytesMax = 256 << 20;

Code CodeByName(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    if (CodeName(static_cast<Code>(i)) == name) {
      return static_cast<Code>(i);
    }
  }
  return Code::kInternal;
}

// The server's error document is {"error":{"code":"...","message":"..."}}.
Error ErrorOf(unsigned status, const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_object() && document.contains("error") && document["error"].is_object()) {
    const auto& error = document["error"];
    return Error(CodeByName(error.value("code", "internal")), error.value("message", body));
  }
  return Error(Code::kInternal, fmt::format("the server answered with status {}", status));
}

// Runs the one asynchronous operation that was just started on `stream`. Beast's timeouts work only
// on asynchronous operations.
beast::error_code Finish(asio::io_context& context, const std::optional<beast::error_code>& done) {
  context.restart();
  context.run();
  return done.value_or(beast::error::timeout);
}

}  // namespace

ApiClient::ApiClient(std::string host, std::string port, std::chrono::milliseconds timeout)
    : host_(std::move(host)), port_(std::move(port)), timeout_(timeout) {
}

Result<ApiClient> ApiClient::Make(std::string_view url, std::chrono::milliseconds timeout) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = url;
  if (!rest.starts_with(kScheme)) {
    return Error(Code::kInvalidArgument, fmt::format("'{}' does not begin with http://", url));
  }
  rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  const HostPort address = QUORATE_TRY(ParseHostPort(rest));
  return ApiClient(address.host, std::to_string(address.port), timeout);
}

Result<std::string> ApiClient::Request(std::string_view method, std::string_view target,
                                       std::string_view body) {
  const auto failed = [&](std::string_view doing, const beast::error_code& error) {
    return Error(Code::kUnavailable,
                 fmt::format("{} http://{}:{}: {}", doing, host_, port_, error.message()));
  };
  asio::io_context context;
  beast::error_code error;
  asio::ip::tcp::resolver resolver(context);
  const auto endpoints = resolver.resolve(host_, port_, error);
  if (error) {
    return failed("resolve", error);
  }

  beast::tcp_stream stream(context);
  stream.expires_after(timeout_);
  std::optional<beast::error_code> done;
  stream.async_connect(endpoints, [&](beast::error_code e, const auto&) { done = e; });
  if ((error = Finish(context, done))) {
    return failed("connect to", error);
  }

  const http::verb verb = http::string_to_verb({method.data(), method.size()});
  http::request<http::string_body> request{verb, {target.data(), target.size()}, 11};
  request.set(http::field::host, fmt::format("{}:{}", host_, port_));
  request.set(http::field::user_agent, "quorate");
  request.set(http::field::connection, "close");
  if (!body.empty()) {
    request.set(http::field::content_type, "application/json");
  }
  request.body() = body;
  request.prepare_payload();
  done.reset();
  http::async_write(stream, request, [&](beast::error_code e, std::size_t) { done = e; });
  if ((error = Finish(context, done))) {
    return failed("send to", error);
  }

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  done.reset();
  http::async_read(stream, buffer, parser, [&](beast::error_code e, std::size_t) { done = e; });
  if ((error = Finish(context, done))) {
    return failed("read from", error);
  }
  const unsigned status = parser.get().result_int();
  if (status / 100 != 2) {
    return ErrorOf(status, parser.get().body());
  }
  return std::move(parser.get().body());
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string escaped;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kUnreserved.find(c) != std::string_view::npos;
    if (plain) {
      escaped.push_back(c);
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

}  // namespace quorate::server
