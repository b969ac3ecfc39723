// UnknownProposals: what this replica appended and lost sight of when its leadership went. Each may
// still be committed, by whoever leads next, until an entry of a later term is: terms never sink
// along a log, so from then on none of an earlier one follows.
//
// On the partition's strand.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "txn/conflict.h"
#include "txn/internal/applier.h"

namespace quorate::txn::internal {

class UnknownProposals {
 public:
  struct Proposal {
    Position position;
    TransactionId id;
    bool named_by_client = false;
    LocalPacks packs;  // The entry may need them.
  };

  UnknownProposals() = default;
  UnknownProposals(const UnknownProposals&) = delete;
  UnknownProposals& operator=(const UnknownProposals&) = delete;

  void Add(Proposal proposal);

  struct Decided {
    LocalPacks packs;            // Of the entry itself, if it was one of ours.
    std::vector<Proposal> lost;  // Can never be committed any more.
  };
  // The entry at `committed` was committed.
  Decided Decide(Position committed);

  // Whether a proposal of this transaction may still be committed.
  bool Contains(std::string_view id) const;

 private:
  Term newest_;  // Of all of them.
  std::multimap<Lsn, Proposal> by_lsn_;
};

}  // namespace quorate::txn::internal
