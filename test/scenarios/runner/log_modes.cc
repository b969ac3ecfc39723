#include "log_modes.h"

namespace quorate::txn {

std::map<std::string, ModeFactory> LogModes() {
  return {{"local", NewLocalMode}};
}

}  // namespace quorate::txn
