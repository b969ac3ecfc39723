// The entries that a message carries, for tests that look into what a network transports.
#pragma once

#include <string_view>
#include <vector>

#include "consensus/entry.h"

namespace quorate::consensus {

// Borrowed from `message`, an eraftpb.Message. None if it is malformed.
std::vector<EntryView> EntriesOf(std::string_view message);

}  // namespace quorate::consensus
