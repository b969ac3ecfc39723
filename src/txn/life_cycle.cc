#include "txn/life_cycle.h"

#include <memory>
#include <string>

namespace quorate::txn {
namespace {

using Reason = LifeCycleError::Reason;

Code CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kCommitted:
    case Reason::kAborted:
      return Code::kInvalidArgument;
    case Reason::kClosed:
      return Code::kUnavailable;
    case Reason::kCancelled:
      return Code::kCancelled;
    case Reason::kGivenUp:
      return Code::kOutcomeUnknown;
  }
  return Code::kInternal;
}

std::string TextOf(Reason reason) {
  switch (reason) {
    case Reason::kCommitted:
      return "the transaction was handed to commit before";
    case Reason::kAborted:
      return "the transaction was aborted before";
    case Reason::kClosed:
      return "the partition is closing";
    case Reason::kCancelled:
      return "cancelled before it was admitted; nothing was done";
    case Reason::kGivenUp:
      return "it is in the log, and nobody waited for its commit";
  }
  return "unknown";
}

}  // namespace

const LifeCycleError* LifeCycleErrorOf(const Error& error) {
  return dynamic_cast<const LifeCycleError*>(error.detail());
}

Error MakeLifeCycleError(LifeCycleError::Call call, LifeCycleError::Reason reason) {
  auto detail = std::make_shared<LifeCycleError>();
  detail->call = call;
  detail->reason = reason;
  return Error(CodeOf(reason), TextOf(reason)).WithDetail(std::move(detail));
}

}  // namespace quorate::txn
