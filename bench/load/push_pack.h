// Small packs for pushes, made without the server's own code: what a driver sends must not depend
// on what it measures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quorate::bench {

// A commit on top of `parent` (hex, or empty for a root) with one file of unique contents: three
// objects, about 500 bytes.
struct SmallCommit {
  std::string id;    // Hex.
  std::string pack;  // The three objects as a pack, complete in itself.
};
SmallCommit MakeSmallCommit(std::string_view parent, std::string_view unique,
                            std::size_t file_bytes);

// A receive-pack request: one command with report-status, and the pack.
std::string MakePushRequest(std::string_view old_id, std::string_view new_id, std::string_view ref,
                            std::string_view pack);

// "0" * 40.
std::string_view ZeroId();

// One pkt-line.
std::string PktLine(std::string_view text);

}  // namespace quorate::bench
