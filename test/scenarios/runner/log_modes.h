// The modes of the log in which the transaction suite runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "txn/testing/log_mode.h"

namespace quorate::txn {

using ModeFactory = std::function<std::unique_ptr<LogMode>()>;

std::map<std::string, ModeFactory> LogModes();

}  // namespace quorate::txn
