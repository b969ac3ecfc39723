// The target of a smart HTTP request, and the names that repositories may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "git/protocol.h"

namespace quorate::git {

// At most 255 bytes of valid UTF-8 in components separated by single slashes. A component is not
// empty, not "." or "..", begins and ends without a space, does not end with ".git" or ".lock", and
// has no control byte, DEL, backslash, "%", "?", "#" or "*".
bool IsValidRepositoryName(std::string_view name);

struct GitTarget {
  enum class Endpoint : std::uint8_t {
    kInfoRefs,     // GET  NAME[.git]/info/refs?service=...
    kUploadPack,   // POST NAME[.git]/git-upload-pack
    kReceivePack,  // POST NAME[.git]/git-receive-pack
  };

  std::string repository;  // Valid, without ".git".
  Endpoint endpoint = Endpoint::kInfoRefs;
  Service service =
      Service::kUploadPack;  // That the endpoint serves, or that info/refs is asked for.
};

struct TargetRefusal {
  enum class Kind : std::uint8_t {
    kMalformed,  // 400: no honest client sends this.
    kForbidden,  // 403: the dumb protocol, or an unknown service.
    kNotFound,   // 404: nothing of ours.
  };

  Kind kind = Kind::kNotFound;
  std::string_view message;  // A constant; for people.
};

// Takes a request target ("/group/name.git/info/refs?service=git-upload-pack") apart. The path is
// percent-decoded once, and an encoded slash, backslash or NUL, and whatever else a valid name does
// not have, is refused rather than interpreted. Which method fits the endpoint is the caller's
// check.
std::variant<GitTarget, TargetRefusal> ParseGitTarget(std::string_view target);

}  // namespace quorate::git
