#include "http/internal/transaction_name.h"

#include "base/bytes.h"
#include "txn/transaction.h"

namespace quorate::http {

Result<std::string> ParseTransactionId(std::string_view hex) {
  std::optional<std::string> id = HexDecode(hex);
  if (!id || id->size() != txn::kTransactionIdBytes) {
    return Error(Code::kInvalidArgument, "a transaction's id has 32 hexadecimal digits");
  }
  return *std::move(id);
}

Result<std::optional<std::string>> NamedTransaction(std::string_view header,
                                                    const std::vector<std::string>& push_options) {
  constexpr std::string_view kOption = "transaction=";
  std::optional<std::string> named;
  if (!header.empty()) {
    named = QUORATE_TRY(ParseTransactionId(header));
  }
  for (const std::string& option : push_options) {
    if (!option.starts_with(kOption)) {
      continue;
    }
    std::string id =
        QUORATE_TRY(ParseTransactionId(std::string_view(option).substr(kOption.size())));
    if (named && *named != id) {
      return Error(Code::kInvalidArgument, "the push names two transactions");
    }
    named = std::move(id);
  }
  return named;
}

}  // namespace quorate::http
