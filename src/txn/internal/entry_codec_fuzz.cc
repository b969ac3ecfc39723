// Entries come from other nodes and from disks: no bytes may crash the reader, and what it accepts
// survives being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "txn/internal/entry_codec.h"
#include "txn/internal/window_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quorate::txn::internal;
  quorate::Result<LogRecord> record = DecodeRecord({reinterpret_cast<const char*>(data), size});
  if (!record) {
    return 0;
  }
  const std::size_t writes = WindowWrites(*record).size();
  const std::string once = EncodeRecord(*record);
  quorate::Result<LogRecord> again = DecodeRecord(once);
  QUORATE_CHECK(again.has_value());
  QUORATE_CHECK(WindowWrites(*again).size() == writes);
  QUORATE_CHECK(EncodeRecord(*std::move(again)) == once);
  return 0;
}
