// Consumers: readers of a repository's committed changes, in order, at least once, each from a
// position of its own.
//
// A consumer is a record of the partition's state, under a kind of key that no user can reach,
// made, acknowledged and removed by transactions like everything else: so the position is the same
// on every replica, and survives crashes and changes of leader. What a consumer has not
// acknowledged stays in the log (TransactionManager), but for a bound: whoever falls behind further
// is cut off. It pins nothing from then on, and is told which entries it lost.
//
//   create ──► follows: acknowledged up to its own entry ──ack──► ... ──remove──► gone
//                 └── too far behind: cut off ──create──► follows, from now on
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace quorate::txn {

class Snapshot;

inline constexpr std::size_t kConsumersMax = 64;  // Of a repository, about: two may come at once.
inline constexpr std::size_t kConsumerNameBytesMax = 64;

struct Consumer {
  RepositoryId repository;
  std::string name;
  Lsn acknowledged{};  // Everything up to here was taken care of.
  Lsn created{};
  // Cut off: the entries in [lost_first, lost_last] are gone, and what came after them is not kept
  // for this consumer. 0 if it was not.
  Lsn lost_first{};
  Lsn lost_last{};

  bool cut_off() const { return lost_first != Lsn{}; }
  friend bool operator==(const Consumer&, const Consumer&) = default;
};

// What a kNotFound error carries when a consumer was cut off.
struct ConsumerCutOff final : ErrorDetail {
  Lsn lost_first;
  Lsn lost_last;
};
// Null if `error` carries no such thing.
const ConsumerCutOff* CutOffOf(const Error& error);

// kInvalidArgument unless `name` has 1 to kConsumerNameBytesMax characters of A-Z a-z 0-9 . _ - and
// does not begin with a dot.
Status CheckConsumerName(std::string_view name);

// All block. kNotFound: there is none; kCorruption.
Result<Consumer> FindConsumer(const Snapshot& snapshot, RepositoryId repository,
                              std::string_view name);
// As FindConsumer(), and kNotFound with ConsumerCutOff if it was cut off.
Result<Consumer> FindFollowingConsumer(const Snapshot& snapshot, RepositoryId repository,
                                       std::string_view name);
// By name.
Result<std::vector<Consumer>> ListConsumers(const Snapshot& snapshot, RepositoryId repository);

struct RepositoryInfo;
// Entries up to `applied` that it has not acknowledged: 0 if none of them changed the repository,
// though the log may have gone on with acknowledgements and the like, or if it was cut off.
std::uint64_t LagOf(const Consumer& consumer, const RepositoryInfo& repository, Lsn applied);

// How far behind a consumer is, as of the last round of TransactionManager::ObjectsDurable().
struct ConsumerLag {
  Consumer consumer;
  std::uint64_t entries = 0;  // LagOf().
  std::uint64_t bytes = 0;    // Of log; known on the leader only.
};

}  // namespace quorate::txn
