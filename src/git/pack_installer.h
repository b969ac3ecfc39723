// The objects of a push between the moment they are checked and the moment they are readable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/digest.h"
#include "base/result.h"

namespace quorate::git {

// A pack as the log names it: the same on every replica. Small packs travel in the entry itself;
// large ones beside the log, under their digest.
struct PackRecord {
  Sha256Digest digest;     // Of the pack's bytes (thin as received when inline; completed else).
  std::uint64_t size = 0;  // Bytes.
  std::uint32_t objects = 0;
  std::string inline_bytes;  // The whole pack if inline, else empty.
};

// What this node holds of a checked pack that no transaction has committed yet: the quarantine.
// Destroying it before Persist() leaves nothing behind. After Persist() the side-stored pack stays,
// because an entry in the log may name it, until Install(), Discard() or DropStagedExcept().
class QuarantinedPack {
 public:
  virtual ~QuarantinedPack() = default;

  virtual const PackRecord& record() const = 0;

  // Makes a side-stored pack survive a crash (fsync of file and name) under its digest. No-op for
  // an inline one. Must have succeeded before an entry that names the pack is appended. Blocks.
  virtual Status Persist() = 0;

  // Takes Persist() back. Only for a pack that no entry can name on behalf of this push: its
  // transaction was refused before it was appended, or its entry was replaced. The bytes stay if
  // another push, or an entry, needs the same pack. No-op for an inline one. Blocks.
  virtual Status Discard() = 0;
};

// Makes the objects of committed packs readable. Called in LSN order on a strand that may block.
class PackInstaller {
 public:
  virtual ~PackInstaller() = default;

  // After Ok() every object of the pack is found by readers of this partition. Idempotent, because
  // entries are applied again after a crash. `local` is this node's quarantine of the same pack if
  // the push came in here, else null. Not durable by itself: the log is kept until a sync of the
  // file system covered it. kCorruption: the pack is damaged or a side-stored one is missing.
  virtual Status Install(const PackRecord& record, std::unique_ptr<QuarantinedPack> local) = 0;
};

}  // namespace quorate::git
