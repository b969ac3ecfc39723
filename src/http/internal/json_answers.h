// How the admin API reads and answers JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/internal/services.h"

namespace quorate::http {

// Objects keep the order in which they are written, as the documents show it.
using Json = nlohmann::ordered_json;

Awaitable<void> SendJson(Exchange& exchange, unsigned status, const Json& json,
                         int retry_after_seconds = 0);

// {"error":{"code":...,"message":...}}
Json ErrorJson(const Error& error);
Awaitable<void> SendJsonError(Exchange& exchange, const Error& error);
// With another status than that of the error map.
Awaitable<void> SendJsonErrorAs(Exchange& exchange, unsigned status, const Error& error);

// The body of a request that says that it is JSON. Nothing: it cannot be read, and that has been
// answered.
Awaitable<std::optional<std::string>> ReadJsonBody(Exchange& exchange);

// An object id, "ref: NAME", or null.
Json RefJson(const std::optional<txn::RefValue>& value);

}  // namespace quorate::http
