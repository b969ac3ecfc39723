// Fetches that are answered in process: small ones, of the kind that follows every push.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/internal/services.h"

namespace quorate::http {

// The body of the answer to a v2 fetch with these arguments: all that follows the head of the
// request. Nothing: it is not small, or asks for what git only knows, or this is switched off;
// `git upload-pack` is to answer it.
//
// Reads objects on the pool, up to the limits, and holds nothing but the snapshot meanwhile; a
// client that goes away costs no more than that.
Awaitable<std::optional<std::string>> AnswerInProcess(const Services& services,
                                                      cluster::Repository& repository,
                                                      std::string_view arguments);

}  // namespace quorate::http
