#include "git/ref_name.h"

namespace quorate::git {
namespace {

constexpr std::string_view kPrefix = "refs/";
constexpr std::size_t kNameBytesMax = 1024;

bool IsForbiddenByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  constexpr std::string_view kForbidden = " ~^:?*[\\";
  return byte < 0x20 || byte == 0x7f || kForbidden.find(c) != std::string_view::npos;
}

bool IsValidComponent(std::string_view component) {
  if (component.empty() || component.front() == '.' || component.ends_with(".lock")) {
    return false;
  }
  char last = '\0';
  for (const char c : component) {
    if (IsForbiddenByte(c) || (last == '.' && c == '.') || (last == '@' && c == '{')) {
      return false;
    }
    last = c;
  }
  return true;
}

}  // namespace

bool IsValidRefName(std::string_view name) {
  if (name.size() > kNameBytesMax || !name.starts_with(kPrefix) || name.ends_with('.')) {
    return false;
  }
  std::string_view rest = name.substr(kPrefix.size());
  while (true) {
    const std::size_t slash = rest.find('/');
    if (!IsValidComponent(rest.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    rest.remove_prefix(slash + 1);
  }
}

bool IsRefNameParent(std::string_view parent, std::string_view child) {
  return child.size() > parent.size() && child.starts_with(parent) && child[parent.size()] == '/';
}

}  // namespace quorate::git
