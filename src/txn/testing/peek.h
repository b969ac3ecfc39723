// What tests look at below the public face of transactions.
#pragma once

#include <string_view>
#include <vector>

#include "git/pack_installer.h"

namespace quorate::txn {

// The packs that an entry with this data names and does not carry. None if it cannot be read.
std::vector<git::PackRecord> PacksBesideTheLog(std::string_view data);

}  // namespace quorate::txn
