#include "consensus/testing/message_entries.h"

#include <cstdint>

#include "consensus/internal/wire.h"

namespace quorate::consensus {
namespace {

EntryView ParseEntry(std::string_view bytes) {
  enum Field : std::uint32_t { kType = 1, kTerm = 2, kIndex = 3, kData = 4 };  // Of eraftpb.Entry.
  EntryView entry;
  internal::WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == kType) {
      entry.type = static_cast<EntryType>(in.number());
    } else if (in.field() == kTerm) {
      entry.term = Term{in.number()};
    } else if (in.field() == kIndex) {
      entry.lsn = Lsn{in.number()};
    } else if (in.field() == kData) {
      entry.data = in.bytes();
    }
  }
  return entry;
}

}  // namespace

std::vector<EntryView> EntriesOf(std::string_view message) {
  constexpr std::uint32_t kEntries = 7;  // Of eraftpb.Message.
  std::vector<EntryView> entries;
  internal::WireReader in(message);
  while (in.Next()) {
    if (in.field() == kEntries && in.is_bytes()) {
      entries.push_back(ParseEntry(in.bytes()));
    }
  }
  return entries;
}

}  // namespace quorate::consensus
