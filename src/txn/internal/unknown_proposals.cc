#include "txn/internal/unknown_proposals.h"

#include <algorithm>
#include <utility>

namespace quorate::txn::internal {

void UnknownProposals::Add(Proposal proposal) {
  newest_ = std::max(newest_, proposal.position.term);
  by_lsn_.emplace(proposal.position.lsn, std::move(proposal));
}

UnknownProposals::Decided UnknownProposals::Decide(Position committed) {
  Decided decided;
  const bool all = newest_ < committed.term;
  while (!by_lsn_.empty() && (all || by_lsn_.begin()->first <= committed.lsn)) {
    Proposal proposal = std::move(by_lsn_.begin()->second);
    by_lsn_.erase(by_lsn_.begin());
    if (proposal.position == committed) {
      decided.packs = std::move(proposal.packs);
    } else {
      decided.lost.push_back(std::move(proposal));
    }
  }
  return decided;
}

bool UnknownProposals::Contains(std::string_view id) const {
  return std::ranges::any_of(by_lsn_, [id](const auto& at) { return at.second.id.bytes == id; });
}

}  // namespace quorate::txn::internal
