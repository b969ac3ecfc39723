#include "txn/outcome.h"

#include "base/check.h"

namespace quorate::txn {

std::string_view StateName(TransactionOutcome::State state) {
  switch (state) {
    case TransactionOutcome::State::kCommitted:
      return "committed";
    case TransactionOutcome::State::kAborted:
      return "aborted";
    case TransactionOutcome::State::kInFlight:
      return "in_flight";
    case TransactionOutcome::State::kNotFound:
      return "not_found";
    case TransactionOutcome::State::kTooOld:
      return "too_old";
  }
  QUORATE_CHECK(false);
}

}  // namespace quorate::txn
