#include "txn/testing/script.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "base/check.h"

namespace quorate::txn {

std::vector<std::string> SplitWords(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

bool Script::Means(std::string_view mode) const {
  return modes.empty() || std::ranges::find(modes, mode) != modes.end();
}

Script ParseScript(std::string_view text) {
  Script script;
  std::istringstream in{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    script.text.push_back(line);
    if (line.starts_with("  ")) {
      QUORATE_CHECK(!script.steps.empty());
      script.steps.back().output += line.substr(2) + "\n";
    } else if (line == "mode scripted") {
      script.scripted = true;
    } else if (line.starts_with("modes ")) {
      const std::size_t why = std::min(line.find('#'), line.size());
      script.modes = SplitWords(std::string_view(line).substr(0, why));
      script.modes.erase(script.modes.begin());
      script.why = line.substr(why);
    } else if (!line.empty() && line[0] != '#') {
      script.steps.push_back({.line = number, .command = line, .output = {}});
    }
  }
  return script;
}

std::vector<int> PlanHomes(const Script& script) {
  std::vector<int> homes;
  std::map<std::string, std::size_t> latest;  // Name -> its last "begin".
  constexpr int kNobody = -1;  // No std::optional: GCC 12 takes it for uninitialised at -O2.
  int in_flight = kNobody;     // The home of those that are under way.
  for (const ScriptStep& step : script.steps) {
    const std::vector<std::string> words = SplitWords(step.command);
    if (words[0] == "begin" && words.size() > 1) {
      latest[words[1]] = homes.size();
      homes.push_back(static_cast<int>(homes.size()));
    } else if (words[0] == "commit") {
      for (std::size_t i = 1; i < words.size(); ++i) {
        if (const auto at = latest.find(words[i]); at != latest.end()) {
          const int joined = homes[at->second];
          in_flight = in_flight == kNobody ? joined : in_flight;
          std::ranges::replace(homes, joined, in_flight);
        }
      }
    } else if (words[0] == "run" || words[0] == "open") {
      in_flight = kNobody;
    }
  }
  return homes;
}

}  // namespace quorate::txn
