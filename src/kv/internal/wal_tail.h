// Tells a write-ahead log that a power cut tore at its end from one that is damaged.
//
// RocksDB's own tolerance covers a last record that is cut short, yet not what file systems often
// leave: a last record with blocks of zeros in it or behind it. Here a log counts as torn when no
// record begins behind the first bad place: then what is bad was the newest write, which no sync
// can have covered unless the disk lost it later. docs/decisions/0003-wal-recovery.md.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace quorate::kv::internal {

enum class WalEnd : std::uint8_t {
  kClean,    // Every byte belongs to a good record.
  kTorn,     // Good records, then bad bytes, then no beginning of a record.
  kDamaged,  // A record begins behind a bad place.
};

// Of the bytes of one log file.
WalEnd JudgeWal(std::string_view bytes);

// Whether, of the logs in the folder `path`, the newest that is not empty is torn and all others
// are clean. False too if no log is torn.
Result<bool> OnlyNewestWalIsTorn(const std::string& path);

}  // namespace quorate::kv::internal
