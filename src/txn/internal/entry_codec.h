// The data of a log entry (proto/log_entry.proto) to a LogRecord and back.
// docs/formats/log_entry.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "txn/internal/log_record.h"

namespace quorate::txn::internal {

// Takes the record, because it may carry a pack.
std::string EncodeRecord(LogRecord record);

// kCorruption: damaged, of a newer format, or with a kind of change that this version does not
// know. A replica that cannot read a committed entry must not go on.
Result<LogRecord> DecodeRecord(std::string_view data);

}  // namespace quorate::txn::internal
