#include "txn/testing/pack_journal.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace quorate::txn {

void PackJournal::Came(const std::string& bytes, Node& home) {
  const std::string pack = Printable(bytes, 16);  // As git::FakePacks calls it.
  homes_[pack] = &home;
  if (std::ranges::find(order_, pack) == order_.end()) {
    order_.push_back(pack);
  }
}

Stage::Nodes PackJournal::homes() const {
  Stage::Nodes homes;
  for (const auto& [pack, home] : homes_) {
    homes.insert(home);
  }
  return homes;
}

// Each replica's events in its own order; among replicas, those of the pack that came in first.
void PackJournal::Note() {
  std::vector<Events> lists;
  for (Node* node : stage_.nodes()) {
    Events events = node->packs.TakeEvents();
    std::erase_if(events, [&](const std::string& event) { return homes_[PackOf(event)] != node; });
    if (!events.empty()) {
      lists.push_back(std::move(events));
    }
  }
  while (!lists.empty()) {
    const auto next =
        std::ranges::min_element(lists, {}, [this](const Events& events) { return Age(events); });
    noted_.push_back(std::move(next->front()));
    next->erase(next->begin());
    if (next->empty()) {
      lists.erase(next);
    }
  }
}

std::vector<std::string> PackJournal::Take() {
  Note();
  return std::exchange(noted_, {});
}

int PackJournal::quarantined() const {
  int all = 0;
  for (const Node* node : stage_.nodes()) {
    all += node->packs.quarantined();
  }
  return all;
}

std::string PackJournal::PackOf(const std::string& event) {
  return event.substr(event.rfind(' ') + 1);
}

std::size_t PackJournal::Age(const Events& events) const {
  const auto at = std::ranges::find(order_, PackOf(events.front()));
  return static_cast<std::size_t>(at - order_.begin());
}

}  // namespace quorate::txn
