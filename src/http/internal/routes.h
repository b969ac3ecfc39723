// Which handler answers a request.
#pragma once

#include "http/internal/exchange.h"
#include "http/internal/services.h"

namespace quorate::http {

// The server's Handler.
Awaitable<void> Route(const Services& services, Exchange& exchange);

}  // namespace quorate::http
