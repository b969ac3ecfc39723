// PackJournal: what happened to the packs of a script, told by the replica where each came in: what
// the others do with it is not the script's story.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "txn/testing/stage.h"

namespace quorate::txn {

class PackJournal {
 public:
  // `stage` outlives it.
  explicit PackJournal(Stage& stage) : stage_(stage) {}

  // A pack with these bytes is about to come in at `home`.
  void Came(const std::string& bytes, Node& home);
  // Where packs came in.
  Stage::Nodes homes() const;

  // Takes down what happened since the last call: after each command, so that the order is right.
  void Note();
  // What was noted since the last call: events of git::FakePacks, in their order.
  std::vector<std::string> Take();
  // Quarantines that exist, anywhere.
  int quarantined() const;

 private:
  using Events = std::vector<std::string>;

  static std::string PackOf(const std::string& event);
  std::size_t Age(const Events& events) const;

  Stage& stage_;
  std::map<std::string, Node*> homes_;  // By what events call the pack: where it came in last.
  std::vector<std::string> order_;      // In which packs came in first.
  Events noted_;
};

}  // namespace quorate::txn
