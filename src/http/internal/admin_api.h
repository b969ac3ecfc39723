// The admin API: JSON below /api/v1. What it answers is in README.md.
#pragma once

#include <string_view>

#include "http/internal/exchange.h"
#include "http/internal/services.h"

namespace quorate::http {

// `path`, without query, begins with "/api/".
Awaitable<void> HandleAdminApi(const Services& services, Exchange& exchange, std::string_view path,
                               std::string_view query);

}  // namespace quorate::http
