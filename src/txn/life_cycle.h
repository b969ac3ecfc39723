// Why a call came too late in the life of a transaction, or of its partition, as data.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace quorate::txn {

// Every such call did nothing, save kGivenUp.
struct LifeCycleError final : ErrorDetail {
  enum class Call : std::uint8_t { kBegin, kRead, kStage, kCommit, kAbort };
  enum class Reason : std::uint8_t {
    kCommitted,  // It was handed to Commit() before. kInvalidArgument.
    kAborted,    // It was aborted before. kInvalidArgument.
    kClosed,     // The partition was closed with Stop(). kUnavailable.
    kCancelled,  // Its commit was cancelled before it was admitted to the log. kCancelled.
    kGivenUp,    // Its caller gave up waiting: it is in the log and may be committed any time.
                 // kOutcomeUnknown.
  };

  Call call;
  Reason reason;
};

// Null if `error` carries no such thing.
const LifeCycleError* LifeCycleErrorOf(const Error& error);

// The error, with its code and text.
Error MakeLifeCycleError(LifeCycleError::Call call, LifeCycleError::Reason reason);

}  // namespace quorate::txn
