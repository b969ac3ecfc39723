// Pushes: POST git-receive-pack.
//
//   body ──► commands ──► pack into quarantine, checked ──► begin, validate, stage ──► commit ──►
//   report
//
// Nothing is answered before the whole body was read. Until then, and as long as nothing was
// proposed, a client that goes away leaves nothing behind.
#pragma once

#include <string>

#include "http/internal/exchange.h"
#include "http/internal/services.h"

namespace quorate::http {

// `repository` null: it does not exist and is created, under `name`, once the commands are read.
// The body's coding is set up.
Awaitable<void> HandleReceivePack(const Services& services, Exchange& exchange,
                                  RepositoryHandle repository, std::string name);

}  // namespace quorate::http
