#include "git/repository_config.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace quorate::git {
namespace {

enum class Type : std::uint8_t { kBool, kNumber };

struct Rendered {
  std::string_view name;
  Type type;
};

// How packs are made, and which filters a client may ask for.
constexpr std::array<Rendered, 16> kRendered = {{
    {"core.bigfilethreshold", Type::kNumber},
    {"core.compression", Type::kNumber},
    {"pack.allowpackreuse", Type::kBool},
    {"pack.compression", Type::kNumber},
    {"pack.deltacachelimit", Type::kNumber},
    {"pack.deltacachesize", Type::kNumber},
    {"pack.depth", Type::kNumber},
    {"pack.window", Type::kNumber},
    {"pack.windowmemory", Type::kNumber},
    {"uploadpackfilter.allow", Type::kBool},
    {"uploadpackfilter.blob:limit.allow", Type::kBool},
    {"uploadpackfilter.blob:none.allow", Type::kBool},
    {"uploadpackfilter.combine.allow", Type::kBool},
    {"uploadpackfilter.object:type.allow", Type::kBool},
    {"uploadpackfilter.tree.allow", Type::kBool},
    {"uploadpackfilter.tree.maxdepth", Type::kNumber},
}};

bool IsAlphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool IsAlpha(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool IsBool(std::string_view value) {
  constexpr std::array<std::string_view, 6> kWords = {"true", "false", "yes", "no", "on", "off"};
  return std::ranges::find(kWords, value) != kWords.end();
}

// So short that no unit makes it overflow.
bool IsNumber(std::string_view value) {
  constexpr std::size_t kDigitsMax = 9;
  if (value.starts_with('-')) {
    return value == "-1";  // "The default", of a compression.
  }
  if (!value.empty() && std::string_view("kKmMgG").find(value.back()) != std::string_view::npos) {
    value.remove_suffix(1);
  }
  return !value.empty() && value.size() <= kDigitsMax &&
         std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> CanonicalConfigName(std::string_view name) {
  const std::size_t first = name.find('.');
  const std::size_t last = name.rfind('.');
  if (first == std::string_view::npos || first == 0 || last + 1 == name.size() ||
      name.size() > kConfigNameBytesMax) {
    return std::nullopt;
  }
  const std::string_view section = name.substr(0, first);
  const std::string_view variable = name.substr(last + 1);
  const std::string_view between = name.substr(first, last - first);  // "" or ".subsection".
  const auto dashed = [](char c) { return IsAlphanumeric(c) || c == '-'; };
  const auto breaks = [](char c) { return c == '\n' || c == '\0'; };
  if (!std::ranges::all_of(section, dashed) || !std::ranges::all_of(variable, dashed) ||
      !IsAlpha(variable.front()) || std::ranges::any_of(between, breaks)) {
    return std::nullopt;
  }
  return Lower(section) + std::string(between) + "." + Lower(variable);
}

bool IsConfigValue(std::string_view value) {
  return value.size() <= kConfigValueBytesMax && value.find('\0') == std::string_view::npos;
}

bool MayBeRendered(std::string_view canonical_name, std::string_view value) {
  const auto* const at = std::ranges::find(kRendered, canonical_name, &Rendered::name);
  if (at == kRendered.end()) {
    return false;
  }
  return at->type == Type::kBool ? IsBool(value) : IsNumber(value);
}

std::string RenderConfigEntries(const std::vector<ConfigEntry>& entries) {
  std::string text;
  for (const ConfigEntry& entry : entries) {
    const std::size_t first = entry.name.find('.');
    const std::size_t last = entry.name.rfind('.');
    for (const std::string& value : entry.values) {
      if (!MayBeRendered(entry.name, value)) {
        continue;
      }
      text += "[" + entry.name.substr(0, first);
      if (last != first) {  // Of the listed names no subsection needs an escape.
        text += " \"" + entry.name.substr(first + 1, last - first - 1) + "\"";
      }
      text += "]\n\t" + entry.name.substr(last + 1) + " = " + value + "\n";
    }
  }
  return text;
}

}  // namespace quorate::git
