#include "txn/testing/peek.h"

#include <utility>
#include <variant>

#include "txn/internal/entry_codec.h"

namespace quorate::txn {

std::vector<git::PackRecord> PacksBesideTheLog(std::string_view data) {
  std::vector<git::PackRecord> packs;
  Result<internal::LogRecord> record = internal::DecodeRecord(data);
  if (!record) {
    return packs;
  }
  for (internal::Change& change : record->changes) {
    auto* add = std::get_if<internal::PackAdd>(&change);
    if (add != nullptr && add->pack.inline_bytes.empty()) {
      packs.push_back(std::move(add->pack));
    }
  }
  return packs;
}

std::optional<EntryOrigin> OriginOf(std::string_view data) {
  Result<internal::LogRecord> record = internal::DecodeRecord(data);
  if (!record) {
    return std::nullopt;
  }
  EntryOrigin origin{.transaction_id = std::move(record->transaction_id),
                     .actor = std::move(record->actor)};
  for (internal::Change& change : record->changes) {
    auto* consumer = std::get_if<internal::ConsumerChange>(&change);
    if (consumer != nullptr && consumer->after && consumer->after->cut_off()) {
      origin.cut_off = std::move(consumer->after);
    }
  }
  return origin;
}

}  // namespace quorate::txn
