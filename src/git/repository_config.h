// Names and values of a repository's configuration, by the rules of git-config(1), and how the
// harmless ones are told to Git.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::git {

inline constexpr std::size_t kConfigNameBytesMax = 1024;
inline constexpr std::size_t kConfigValueBytesMax = 4096;
inline constexpr std::size_t kConfigValuesMax = 256;  // Of one name.

// One name with all its values, in their order.
struct ConfigEntry {
  std::string name;  // Canonical.
  std::vector<std::string> values;
};

// The one spelling under which a name is known: section and variable in lower case, the subsection
// as it is. Nothing if it is not a name: "section.variable" or "section.subsection.variable".
std::optional<std::string> CanonicalConfigName(std::string_view name);

// A value is any text without NUL, up to kConfigValueBytesMax.
bool IsConfigValue(std::string_view value);

// Whether a view may tell `git upload-pack` this. Names are on a list of those that neither run a
// program, nor open a file, nor reach another host, whatever their value; and the value must have
// the type that Git wants, because Git ends at one that has not.
bool MayBeRendered(std::string_view canonical_name, std::string_view value);

// The lines of a config file that say what may be rendered of `entries`.
std::string RenderConfigEntries(const std::vector<ConfigEntry>& entries);

}  // namespace quorate::git
