// zlib streams, whole and in memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::git::internal {

// `level` as zlib's: 1 is fast, 9 is small.
std::string Deflate(std::string_view bytes, int level);

struct Inflated {
  std::string bytes;
  std::size_t consumed = 0;  // Length of the zlib stream at the head of the input.
};

// Inflates the stream at the head of `input`, which must give exactly `size` bytes.
// kInvalidArgument: it does not, or is broken or cut off. Allocates at most what the input can
// give.
Result<Inflated> InflateExactly(std::string_view input, std::size_t size);

// Inflates at most `size_max` bytes from the head of a stream that may go on.
Result<std::string> InflateHead(std::string_view input, std::size_t size_max);

}  // namespace quorate::git::internal
