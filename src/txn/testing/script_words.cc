#include "txn/testing/script_words.h"

#include <algorithm>

#include "txn/testing/world.h"

namespace quorate::txn {

const std::string& Word(const std::vector<std::string>& words, std::size_t index) {
  if (index >= words.size()) {
    throw ScriptError{"a word is missing"};
  }
  return words[index];
}

bool Has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::optional<std::string> Option(const std::vector<std::string>& words, std::string_view name) {
  for (const std::string& word : words) {
    if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=') {
      return word.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

RepositoryId RepositoryOf(const std::vector<std::string>& words) {
  return RepositoryId{std::stoull(Option(words, "repo").value_or("1"))};
}

std::string FullName(const std::string& name) {
  return name.starts_with("refs") ? name : "refs/heads/" + name;
}

std::optional<RefValue> ParseValue(const std::string& text) {
  if (text == "none") {
    return std::nullopt;
  }
  if (text.starts_with('@')) {
    RefValue value;
    value.symref = FullName(text.substr(1));
    return value;
  }
  if (text.size() != 1) {
    throw ScriptError{"'" + text + "' is not a value"};
  }
  return ValueOf(text[0]);
}

std::pair<std::optional<std::string>, std::string> ParseMove(const std::string& text) {
  const std::size_t arrow = text.find("->");
  if (arrow == std::string::npos) {
    throw ScriptError{"'" + text + "' is not old->new"};
  }
  std::optional<std::string> before = text.substr(0, arrow);
  if (before == "?") {
    before.reset();
  }
  return {before, text.substr(arrow + 2)};
}

std::optional<std::string> KeyValue(const std::string& text) {
  return text == "none" ? std::nullopt : std::optional(text);
}

}  // namespace quorate::txn
