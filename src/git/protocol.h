// What the Git protocols' parsers and renderers share: services, versions, capabilities' values,
// and a reference as it is told to clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "git/object_id.h"

namespace quorate::git {

enum class Service : std::uint8_t { kUploadPack, kReceivePack };

// "git-upload-pack" or "git-receive-pack".
std::string_view ServiceName(Service service);
std::optional<Service> ParseServiceName(std::string_view name);

enum class ProtocolVersion : std::uint8_t { kV0 = 0, kV1 = 1, kV2 = 2 };

// The value of a Git-Protocol header (or GIT_PROTOCOL): keys separated by colons, of which only
// version=N is known. The highest version that we speak wins, as in Git; anything else is v0.
ProtocolVersion ParseGitProtocol(std::string_view header);

// "version=2", as in GIT_PROTOCOL.
std::string_view ProtocolVersionKey(ProtocolVersion version);

// A reference as a writer takes it. The views are borrowed for the call.
struct AdvertisedRef {
  std::string_view name{};  // "HEAD", or a full name.
  ObjectId id{};            // What it resolves to; zero: symbolic, and its target is missing.
  std::optional<ObjectId> peeled{};  // What an annotated tag finally points at.
  std::string_view symref_target{};  // Of a symbolic reference, else empty.
};

// `id` in hexadecimal, without a string of its own: advertisements have hundreds of thousands.
void AppendHex(std::string& out, const ObjectId& id);

// A client's agent or session id, fit for a log: printable ASCII without spaces (others become
// '.'), cut to 256 bytes.
std::string SanitizedToken(std::string_view value);

}  // namespace quorate::git
