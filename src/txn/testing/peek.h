// What tests look at below the public face of transactions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/pack_installer.h"
#include "txn/consumer.h"

namespace quorate::txn {

// The packs that an entry with this data names and does not carry. None if it cannot be read.
std::vector<git::PackRecord> PacksBesideTheLog(std::string_view data);

// Whose entry one with this data is.
struct EntryOrigin {
  std::string transaction_id;  // 16 raw bytes.
  std::string actor;
  // Set if it cuts off a consumer: that one, without the LSNs that are the entry's own.
  std::optional<Consumer> cut_off{};
};
// Nothing if it cannot be read.
std::optional<EntryOrigin> OriginOf(std::string_view data);

}  // namespace quorate::txn
