// How a push names its transaction: by the header `Quorate-Transaction` or the push option
// `transaction=...`, 32 hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quorate::http {

inline constexpr std::string_view kTransactionHeader = "Quorate-Transaction";
inline constexpr std::string_view kLsnHeader = "Quorate-Lsn";

// The 16 raw bytes. kInvalidArgument: not 32 hexadecimal digits.
Result<std::string> ParseTransactionId(std::string_view hex);

// Nothing: the client named none. kInvalidArgument: malformed, or two names that differ.
Result<std::optional<std::string>> NamedTransaction(std::string_view header,
                                                    const std::vector<std::string>& push_options);

}  // namespace quorate::http
