// How the commands of a script are read. A mistake is thrown as ScriptError, and ends that command.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "txn/snapshot.h"

namespace quorate::txn {

struct ScriptError {
  std::string what;
};
const std::string& Word(const std::vector<std::string>& words, std::size_t index);
bool Has(const std::vector<std::string>& words, std::string_view word);
// The value of a word "name=value".
std::optional<std::string> Option(const std::vector<std::string>& words, std::string_view name);
RepositoryId RepositoryOf(const std::vector<std::string>& words);
// "main" is refs/heads/main.
std::string FullName(const std::string& name);
// "A": the object of that letter; "@main": symbolic; "none".
std::optional<RefValue> ParseValue(const std::string& text);
// "old->new"; "?" as old is no expectation.
std::pair<std::optional<std::string>, std::string> ParseMove(const std::string& text);
std::optional<std::string> KeyValue(const std::string& text);

}  // namespace quorate::txn
