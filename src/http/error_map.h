// The one table from our error codes to HTTP. design: a status 4xx or 503 promises that nothing was
// done.
#pragma once

#include "base/result.h"

namespace quorate::http {

struct HttpError {
  unsigned status;
  int retry_after_seconds;  // 0: no Retry-After header.
};

HttpError HttpErrorOf(Code code);

}  // namespace quorate::http
