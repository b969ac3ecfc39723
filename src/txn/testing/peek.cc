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

}  // namespace quorate::txn
