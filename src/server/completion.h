// Shell completion scripts, made from the command line's own definition so that they cannot fall
// behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace quorate::server {

// One command with what may stand behind it.
struct CompletionEntry {
  std::string path;                // "repo create", or "" for the top.
  std::vector<std::string> words;  // Subcommands and options.
};

// `shell` is "bash" or "zsh"; kInvalidArgument otherwise.
Result<std::string> RenderCompletion(std::string_view shell,
                                     const std::vector<CompletionEntry>& entries);

}  // namespace quorate::server
