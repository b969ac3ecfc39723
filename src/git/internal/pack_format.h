// Git's pack format, as far as reader and builder share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "git/object_id.h"

namespace quorate::git::internal {

constexpr std::string_view kPackSignature = "PACK";
constexpr std::size_t kPackHeaderSize = 12;

// Kinds of entries below 5 are those of ObjectType.
constexpr int kOffsetDelta = 6;
constexpr int kReferenceDelta = 7;

// The checksum at the end of a pack: the format's hash over all before it. It guards against
// accidents only.
std::string PackChecksum(ObjectFormat format, std::string_view bytes);

}  // namespace quorate::git::internal
