// What a transaction lost a race over, as data: which key, to which transaction, at which entry.
// The text for people is made of the data, never the other way round.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "txn/snapshot.h"

namespace quorate::txn {

inline constexpr std::size_t kTransactionIdBytes = 16;

struct TransactionId {
  std::string bytes;  // kTransactionIdBytes raw bytes.
  std::string ToHex() const;

  friend bool operator==(const TransactionId&, const TransactionId&) = default;
};

// A thing that transactions can conflict over.
struct ConflictKey {
  enum class Kind : std::uint8_t {
    kRef,
    kHead,
    kRepository,  // Whether it exists.
    kKey,         // A user key.
    kConfig,      // All values of one name of a repository's configuration.
    kConsumer,    // Whether it exists, and where it stands.
  };
  Kind kind;
  RepositoryId repository;  // 0 for a user key: they belong to the partition.
  // Of a reference, a user key, a consumer or in the configuration, else empty.
  std::string name;

  friend bool operator==(const ConflictKey&, const ConflictKey&) = default;

  // "refs/heads/main", "HEAD", "repository 1", "key a", "config core.x".
  std::string ToString() const;
};

struct Conflict {
  enum class Kind : std::uint8_t {
    kValueChanged,  // The old value is not the expected one.
    kNameConflict,  // "a" against "a/b".
    kReadChanged,   // Something that the transaction read was written since.
    kRepositoryGone,
    kRepositoryExists,
  };
  // Who was faster: the last entry that wrote the key, committed or still in flight.
  struct Winner {
    Lsn lsn;
    TransactionId transaction;

    friend bool operator==(const Winner&, const Winner&) = default;
  };

  Kind kind;
  ConflictKey key;  // Of a name conflict, the one in the way; "x/..." if they are too many.
  std::optional<RefValue> expected;  // Of references and HEAD.
  std::optional<RefValue> found;     // Likewise.
  // Nothing if nobody was faster: the loser's own snapshot, or the loser itself, has it so.
  std::optional<Winner> winner;

  // "refs/heads/main: expected 1234..., found nothing, written by transaction 5678... (entry 17)"
  std::string ToString() const;
};

// What a kConflict error carries, see ConflictOf().
struct Conflicts final : ErrorDetail {
  std::vector<Conflict> all;  // At least one.
  std::vector<std::optional<Conflict>>
      refs;  // Of each StageRef() call, in order: its own conflict.
};

// What a kConflict error carries when it is not known what was written since the snapshot: it is
// older than what the partition remembers. Nothing was done; a new snapshot helps.
struct SnapshotTooOld final : ErrorDetail {
  Lsn snapshot;
  Lsn floor;  // Writes of entries up to this one are forgotten.
};

// Null if `error` carries no such thing. A kConflict error carries exactly one of them.
const Conflicts* ConflictOf(const Error& error);
const SnapshotTooOld* SnapshotTooOldOf(const Error& error);

// The errors, with their text. REQUIRES: conflicts.all is not empty.
Error ConflictError(Conflicts conflicts);
Error SnapshotTooOldError(Lsn snapshot, Lsn floor);

}  // namespace quorate::txn
