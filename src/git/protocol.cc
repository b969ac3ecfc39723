#include "git/protocol.h"

#include <algorithm>
#include <array>

namespace quorate::git {

namespace {
constexpr std::size_t kTokenBytesMax = 256;
}  // namespace

std::string_view ServiceName(Service service) {
  return service == Service::kUploadPack ? "git-upload-pack" : "git-receive-pack";
}

std::optional<Service> ParseServiceName(std::string_view name) {
  for (const Service service : {Service::kUploadPack, Service::kReceivePack}) {
    if (name == ServiceName(service)) {
      return service;
    }
  }
  return std::nullopt;
}

ProtocolVersion ParseGitProtocol(std::string_view header) {
  ProtocolVersion best = ProtocolVersion::kV0;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(':'), header.size());
    const std::string_view key = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    for (const ProtocolVersion version : {ProtocolVersion::kV1, ProtocolVersion::kV2}) {
      if (key == ProtocolVersionKey(version)) {
        best = std::max(best, version);
      }
    }
  }
  return best;
}

std::string_view ProtocolVersionKey(ProtocolVersion version) {
  switch (version) {
    case ProtocolVersion::kV0:
      return "version=0";
    case ProtocolVersion::kV1:
      return "version=1";
    case ProtocolVersion::kV2:
      return "version=2";
  }
  return "version=0";
}

void AppendHex(std::string& out, const ObjectId& id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 64> hex;
  std::size_t size = 0;
  for (const char c : id.raw()) {
    const auto byte = static_cast<unsigned char>(c);
    hex[size++] = kDigits[byte >> 4];
    hex[size++] = kDigits[byte & 15];
  }
  out.append(hex.data(), size);
}

std::string SanitizedToken(std::string_view value) {
  std::string token(value.substr(0, kTokenBytesMax));
  std::replace_if(
      token.begin(), token.end(), [](char c) { return c <= ' ' || c > '~'; }, '.');
  return token;
}

}  // namespace quorate::git
