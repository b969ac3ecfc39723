// The system's errors as ours.
#pragma once

#include <string_view>

#include "base/result.h"

namespace quorate::env {

// ENOENT is kNotFound; a full disk or quota kResourceExhausted; the rest kInternal. The message is
// "<doing>: <the system's words>".
Error SystemError(int error_number, std::string_view doing);

}  // namespace quorate::env
