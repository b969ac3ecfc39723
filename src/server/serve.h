// `quorate serve`: wires one node together and runs it until it is told to stop.
#pragma once

#include "base/result.h"
#include "server/config.h"

namespace quorate::server {

// Returns after SIGTERM or SIGINT and a clean stop. A second signal ends the process at once.
//   kInvalidArgument, kAlreadyExists (the data directory is in use, or the port), kCorruption ...:
//   it did not start; the message is the one line for the operator.
Status Serve(const Config& config);

}  // namespace quorate::server
