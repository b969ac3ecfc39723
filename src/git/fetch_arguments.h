// The arguments of a v2 fetch, as far as a server may answer them without `git upload-pack`.
//
//   arguments = *(want | have | option) flush
//   want      = "want " id
//   have      = "have " id
//   option    = "done" | "thin-pack" | "ofs-delta" | "no-progress" | "include-tag"
//
// What asks for more (shallow clones, filters, references by name, URIs of packs) is not parsed
// here, nor is anything malformed: git answers both, in its own words.
//
// Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "git/object_id.h"

namespace quorate::git {

struct FetchArguments {
  std::vector<ObjectId> wants{};  // In the client's order, repeated as often as it did.
  std::vector<ObjectId> haves{};  // Likewise.
  bool done = false;              // No acknowledgements: the pack at once.
  bool no_progress = false;
  bool include_tag = false;  // Tags of what is sent are wanted, too.
};

// `bytes` are all that follows the delimiter of the request's head. Nothing: they are not complete,
// or hold a packet that is none of those above.
std::optional<FetchArguments> ParseFetchArguments(ObjectFormat format, std::string_view bytes);

}  // namespace quorate::git
