#include "http/internal/json_answers.h"

#include <utility>

#include "http/error_map.h"
#include "http/internal/uri.h"

namespace quorate::http {
namespace {

constexpr std::size_t kRequestBytesMax = 64 << 10;

Awaitable<Result<std::string>> ReadBody(Exchange& exchange) {
  exchange.body().LimitBytes(kRequestBytesMax);
  std::string body;
  for (;;) {
    Result<std::string_view> piece = co_await exchange.body().Read();
    if (!piece) {
      co_return std::move(piece).error();
    }
    if (piece->empty()) {
      co_return body;
    }
    body += *piece;
  }
}

}  // namespace

Awaitable<void> SendJson(Exchange& exchange, unsigned status, const Json& json,
                         int retry_after_seconds) {
  ResponseHead head;
  head.status = status;
  head.content_type = "application/json";
  head.headers.emplace_back("Cache-Control", "no-store");
  if (retry_after_seconds > 0) {
    head.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  }
  // Names are bytes; what is not UTF-8 in them is shown as U+FFFD.
  const std::string body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const Status sent = co_await exchange.response().Send(std::move(head), body);
  static_cast<void>(sent);  // A client that left needs no answer.
}

Json ErrorJson(const Error& error) {
  return {{"error", {{"code", CodeName(error.code())}, {"message", error.message()}}}};
}

Awaitable<void> SendJsonError(Exchange& exchange, const Error& error) {
  const HttpError mapped = HttpErrorOf(error.code());
  const Json json = ErrorJson(error);
  co_await SendJson(exchange, mapped.status, json, mapped.retry_after_seconds);
}

Awaitable<void> SendJsonErrorAs(Exchange& exchange, unsigned status, const Error& error) {
  const Json json = ErrorJson(error);
  co_await SendJson(exchange, status, json);
}

Json RefJson(const std::optional<txn::RefValue>& value) {
  if (!value.has_value()) {
    return nullptr;
  }
  return value->symref.empty() ? Json(value->id.ToHex()) : Json("ref: " + value->symref);
}

Awaitable<std::optional<std::string>> ReadJsonBody(Exchange& exchange) {
  // A form of a foreign web page cannot send this type without asking first.
  if (MediaType(exchange.head().Find("content-type")) != "application/json") {
    const Error error(Code::kInvalidArgument, "Content-Type must be application/json");
    co_await SendJsonErrorAs(exchange, 415, error);
    co_return std::nullopt;
  }
  Result<std::string> body = co_await ReadBody(exchange);
  if (!body) {
    const bool large = body.error().code() == Code::kResourceExhausted;
    co_await SendJsonErrorAs(exchange, large ? 413 : HttpErrorOf(body.error().code()).status,
                             body.error());
    co_return std::nullopt;
  }
  co_return std::move(*body);
}

}  // namespace quorate::http
