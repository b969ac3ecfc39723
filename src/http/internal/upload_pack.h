// Fetches: info/refs, ls-refs and small fetches in process, everything else by `git upload-pack` on
// a view.
#pragma once

#include "git/protocol.h"
#include "http/internal/exchange.h"
#include "http/internal/services.h"

namespace quorate::http {

// GET info/refs for either service. `repository` null: what a push of this name would create is
// told.
Awaitable<void> HandleInfoRefs(const Services& services, Exchange& exchange,
                               RepositoryHandle repository, git::Service service);

// POST git-upload-pack. The body's coding is set up.
Awaitable<void> HandleUploadPack(const Services& services, Exchange& exchange,
                                 RepositoryHandle repository);

}  // namespace quorate::http
