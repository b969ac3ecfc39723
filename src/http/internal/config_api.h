// A repository's configuration: GET /api/v1/repositories/NAME/config, and PUT .../config/VARIABLE.
#pragma once

#include <string>
#include <string_view>

#include "http/internal/services.h"

namespace quorate::http {

// All of it, or what begins with the query's `prefix`.
Awaitable<void> ListConfig(const Services& services, Exchange& exchange, std::string name,
                           std::string_view query);

// Sets all values of a variable, as one transaction. `variable` as it is in the path.
Awaitable<void> SetConfig(const Services& services, Exchange& exchange, std::string name,
                          std::string_view variable);

}  // namespace quorate::http
