// The parts of a request target that are not Git's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quorate::http {

// "%2F" -> "/". Nothing if an escape is malformed.
std::optional<std::string> PercentDecode(std::string_view text);

// The decoded value of the first `name=value` of a query; nothing if it is not there or malformed.
std::optional<std::string> FindQueryValue(std::string_view query, std::string_view name);

// The media type of a Content-Type header, lower case, without parameters.
std::string MediaType(std::string_view content_type);

}  // namespace quorate::http
