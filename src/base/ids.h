// Integers that must not be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <utility>

namespace quorate {

template <class Tag>
struct StrongId {
  std::uint64_t value = 0;

  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  StrongId Next() const { return StrongId{value + 1}; }

  template <class H>
  friend H AbslHashValue(H h, const StrongId& id) {
    return H::combine(std::move(h), id.value);
  }
};

using Lsn = StrongId<struct LsnTag>;    // A position in one partition's log (= Raft index).
using Term = StrongId<struct TermTag>;  // A Raft term.
using PartitionId = StrongId<struct PartitionTag>;  // 1 is the meta partition; 0 is none.
using ReplicaId = StrongId<struct ReplicaTag>;      // A replica within its group; 0 is none.
using NodeId = StrongId<struct NodeTag>;            // A `quorate serve` process; 0 is none.

// A repository within its partition. The first is 1; later ones are forks of it.
using RepositoryId = StrongId<struct RepositoryTag>;

// Where an entry stands: Raft promises that two entries with the same position are the same entry.
struct Position {
  Lsn lsn;
  Term term;

  friend auto operator<=>(const Position&, const Position&) = default;
};

inline constexpr PartitionId kMetaPartition{1};

// Every log begins behind this position: groups are bootstrapped at LSN 5, term 1, never at 0, so
// that a newcomer with an empty configuration can never replay the log from its first entry.
inline constexpr Position kBootstrapPosition{Lsn{5}, Term{1}};

}  // namespace quorate
