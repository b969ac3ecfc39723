// A script of the transaction suite, as text: a list of commands, each with the output that it
// should have (test/scenarios/README.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quorate::txn {

struct ScriptStep {
  int line = 0;
  std::string command;
  std::string output;  // Lines, each ended.
};

struct Script {
  std::vector<std::string> text;  // All lines, for a rewrite.
  std::vector<ScriptStep> steps;
  // From "mode scripted" at the top: the script drives the log itself, and no other mode will do.
  bool scripted = false;
  // From "modes A B  # why" at the top: in the other modes the story means nothing. Empty: in none.
  std::vector<std::string> modes;
  std::string why;

  bool Means(std::string_view mode) const;  // Something in this mode.
};

Script ParseScript(std::string_view text);

std::vector<std::string> SplitWords(std::string_view text);

// Leadership cannot move while transactions are in flight, so those that are handed in together
// must begin at one replica: a number for each "begin"; equal numbers, one replica.
std::vector<int> PlanHomes(const Script& script);

}  // namespace quorate::txn
