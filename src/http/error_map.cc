#include "http/error_map.h"

#include "base/check.h"

namespace quorate::http {

HttpError HttpErrorOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return {400, 0};
    case Code::kNotFound:
      return {404, 0};
    case Code::kAlreadyExists:
    case Code::kConflict:
      return {409, 0};
    case Code::kNotLeader:
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return {503, 1};
    case Code::kOutcomeUnknown:
      return {500, 0};  // Neither 4xx nor 503: those promise that nothing was done.
    case Code::kCancelled:
      return {408, 0};
    case Code::kResourceExhausted:
      return {429, 5};
    case Code::kCorruption:
      return {503, 0};  // Retrying here does not help until the replica is repaired.
    case Code::kInternal:
      return {500, 0};
  }
  QUORATE_CHECK(false);
}

}  // namespace quorate::http
