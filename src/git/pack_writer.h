// Packs, written in memory: header, entries, checksum. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git {

// Type and size as an entry begins; kinds 6 and 7 are deltas, those below are of ObjectType.
std::string EntryHead(int kind, std::uint64_t size);

// A whole object: its head, and its content as a zlib stream, fast rather than small.
std::string WholeEntry(ObjectType type, std::string_view content);

// Header with this count, the entries, and a checksum that matches.
std::string SealPack(ObjectFormat format, std::uint32_t count, std::string_view entries);

}  // namespace quorate::git
