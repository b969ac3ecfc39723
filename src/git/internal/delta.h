// Deltas: a target object as copies from a base and literal bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::git::internal {

// kInvalidArgument: the delta is malformed, reaches outside the base or does not give what it
// declares; kResourceExhausted: the target would be larger than `size_max`.
Result<std::string> ApplyDelta(std::string_view base, std::string_view delta, std::size_t size_max);

}  // namespace quorate::git::internal
