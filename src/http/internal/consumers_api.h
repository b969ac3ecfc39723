// Consumers of a repository's changes, over HTTP:
//
//   GET    .../changes?consumer=C&limit=N&wait=SECONDS   JSON lines
//   GET    .../consumers     POST .../consumers {"name"}     DELETE .../consumers/C
//   POST   .../consumers/C/ack {"lsn"}
#pragma once

#include <string>
#include <string_view>

#include "http/internal/services.h"

namespace quorate::http {

// GET. Waits, if asked to and there is nothing to tell, until there is, the time is over, the
// client is gone, or the server stops.
Awaitable<void> ShowChanges(const Services& services, Exchange& exchange, std::string name,
                            std::string_view query);

// Any method. `rest`: what follows "/consumers/" in the path; empty: the collection.
Awaitable<void> HandleConsumers(const Services& services, Exchange& exchange, std::string name,
                                std::string_view rest);

}  // namespace quorate::http
