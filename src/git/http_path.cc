#include "git/http_path.h"

#include <algorithm>

#include "base/bytes.h"

namespace quorate::git {

namespace {

constexpr std::size_t kRepositoryNameBytesMax = 255;
constexpr std::size_t kPathBytesMax = 2048;

constexpr TargetRefusal kMalformedPath{TargetRefusal::Kind::kMalformed, "malformed request path"};

// Length of the well-formed UTF-8 sequence at the front of `text`; 0 if it is not one.
std::size_t Utf8SequenceSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  // Overlong forms, surrogates, and beyond U+10FFFF.
  const bool bad = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
                   (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
  return bad ? 0 : size;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = Utf8SequenceSize(text);
    if (size == 0) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

bool IsForbiddenByte(char c) {
  constexpr std::string_view kForbidden = "\\%?#*";
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || kForbidden.find(c) != std::string_view::npos;
}

bool IsValidComponent(std::string_view component) {
  if (component.empty() || component == "." || component == "..") {
    return false;
  }
  if (component.front() == ' ' || component.back() == ' ') {
    return false;
  }
  if (component.ends_with(".git") || component.ends_with(".lock")) {
    return false;
  }
  return std::none_of(component.begin(), component.end(), IsForbiddenByte);
}

// Nothing for a bad escape, and for escapes of bytes that mean something to a path.
std::optional<std::string> DecodePath(std::string_view path) {
  constexpr std::string_view kNeverEscaped("/\\\0", 3);
  std::string decoded;
  decoded.reserve(path.size());
  while (!path.empty()) {
    if (path.front() != '%') {
      decoded.push_back(path.front());
      path.remove_prefix(1);
      continue;
    }
    const std::optional<std::string> byte = HexDecode(path.substr(1, 2));
    if (!byte || byte->size() != 1 || kNeverEscaped.find(byte->front()) != std::string_view::npos) {
      return std::nullopt;
    }
    decoded.append(*byte);
    path.remove_prefix(3);
  }
  return decoded;
}

std::optional<std::string_view> FindQueryValue(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = item.find('=');
    if (equals != std::string_view::npos && item.substr(0, equals) == key) {
      return item.substr(equals + 1);
    }
  }
  return std::nullopt;
}

// Splits "/NAME.git/tail" if it ends with `tail`: the name as it stands in the path.
std::optional<std::string_view> FindNameBefore(std::string_view path, std::string_view tail) {
  if (!path.ends_with(tail) || path.size() <= tail.size()) {
    return std::nullopt;
  }
  path.remove_suffix(tail.size());
  path.remove_prefix(1);
  return path;
}

bool IsDumbFile(std::string_view path) {
  return path.ends_with("/HEAD") || path.find("/objects/") != std::string_view::npos;
}

std::variant<GitTarget, TargetRefusal> MakeTarget(std::string_view name,
                                                  GitTarget::Endpoint endpoint, Service service) {
  constexpr std::string_view kSuffix = ".git";
  if (name.ends_with(kSuffix)) {
    name.remove_suffix(kSuffix.size());
  }
  if (!IsValidRepositoryName(name)) {
    return TargetRefusal{TargetRefusal::Kind::kMalformed, "no valid repository name"};
  }
  return GitTarget{.repository = std::string(name), .endpoint = endpoint, .service = service};
}

std::variant<GitTarget, TargetRefusal> MakeInfoRefs(std::string_view name, std::string_view query) {
  const std::optional<std::string_view> wanted = FindQueryValue(query, "service");
  if (!wanted) {
    return TargetRefusal{TargetRefusal::Kind::kForbidden,
                         "the dumb HTTP protocol is not supported: use a newer Git"};
  }
  const std::optional<Service> service = ParseServiceName(*wanted);
  if (!service) {
    return TargetRefusal{TargetRefusal::Kind::kForbidden, "unknown Git service"};
  }
  return MakeTarget(name, GitTarget::Endpoint::kInfoRefs, *service);
}

}  // namespace

bool IsValidRepositoryName(std::string_view name) {
  if (name.empty() || name.size() > kRepositoryNameBytesMax || !IsValidUtf8(name)) {
    return false;
  }
  for (;;) {
    const std::size_t slash = name.find('/');
    if (!IsValidComponent(name.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    name.remove_prefix(slash + 1);
  }
}

std::variant<GitTarget, TargetRefusal> ParseGitTarget(std::string_view target) {
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view raw = target.substr(0, question);
  const std::string_view query = target.substr(std::min(question + 1, target.size()));
  if (!raw.starts_with('/') || raw.size() > kPathBytesMax) {
    return kMalformedPath;
  }
  const std::optional<std::string> path = DecodePath(raw);
  if (!path) {
    return kMalformedPath;
  }
  if (const auto name = FindNameBefore(*path, "/info/refs")) {
    return MakeInfoRefs(*name, query);
  }
  if (const auto name = FindNameBefore(*path, "/git-upload-pack")) {
    return MakeTarget(*name, GitTarget::Endpoint::kUploadPack, Service::kUploadPack);
  }
  if (const auto name = FindNameBefore(*path, "/git-receive-pack")) {
    return MakeTarget(*name, GitTarget::Endpoint::kReceivePack, Service::kReceivePack);
  }
  if (IsDumbFile(*path)) {
    return TargetRefusal{TargetRefusal::Kind::kNotFound,
                         "the dumb HTTP protocol is not supported: use a newer Git"};
  }
  return TargetRefusal{TargetRefusal::Kind::kNotFound, "not found"};
}

}  // namespace quorate::git
