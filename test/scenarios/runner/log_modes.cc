#include "log_modes.h"

#include "sim/replica_mode.h"

namespace quorate::txn {

std::map<std::string, ModeFactory> LogModes() {
  return {{"local", NewLocalMode}, {"raft1", sim::NewSoleVoterMode}};
}

}  // namespace quorate::txn
