#include "cluster/repository_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace quorate::cluster {
namespace {

constexpr std::size_t kNameBytesMax = 200;

bool IsAllowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Error Refusal(std::string_view name, std::string_view why) {
  return Error(Code::kInvalidArgument,
               fmt::format("repository name '{}' {}", Printable(name), why));
}

bool EndsWithIgnoringCase(std::string_view text, std::string_view suffix) {
  if (text.size() < suffix.size()) {
    return false;
  }
  const std::string_view tail = text.substr(text.size() - suffix.size());
  return std::ranges::equal(
      tail, suffix, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

Status CheckComponent(std::string_view name, std::string_view component) {
  if (component.empty()) {
    return Refusal(name, "has an empty component (a leading, trailing or double slash)");
  }
  if (!std::ranges::all_of(component, IsAllowed)) {
    return Refusal(name, "has a character other than A-Z a-z 0-9 . _ - and /");
  }
  if (component.front() == '.' || component.front() == '-') {
    return Refusal(name, fmt::format("has a component that begins with '{}'", component.front()));
  }
  for (const std::string_view suffix : {".git", ".lock"}) {
    if (EndsWithIgnoringCase(component, suffix)) {
      return Refusal(name, fmt::format("has a component that ends with '{}'", suffix));
    }
  }
  return Ok();
}

}  // namespace

Status CheckRepositoryName(std::string_view name) {
  if (name.empty()) {
    return Error(Code::kInvalidArgument, "repository name is empty");
  }
  if (name.size() > kNameBytesMax) {
    return Refusal(name.substr(0, 40), fmt::format("(and on) is {} bytes long, {} are allowed",
                                                   name.size(), kNameBytesMax));
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    QUORATE_TRY(CheckComponent(name, name.substr(begin, end - begin)));
    begin = end + 1;
  }
  if (name.substr(0, name.find('/')) == "api") {
    return Refusal(name, "begins with 'api', which is reserved");
  }
  return Ok();
}

}  // namespace quorate::cluster
