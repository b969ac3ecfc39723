// A log entry in words, for operators.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::txn {

// One line: id, actor, time and changes of the transaction that an entry's data holds. kCorruption
// when it cannot be read.
Result<std::string> DescribeEntry(std::string_view data);

}  // namespace quorate::txn
