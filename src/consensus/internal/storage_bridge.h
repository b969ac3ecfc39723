// A consensus::Storage as the engine's table of callbacks.
//
// Private to this module's sources: the only header here that knows the engine's ABI.
#pragma once

#include <quorate_raft.h>

#include <string>
#include <string_view>

#include "consensus/storage.h"

namespace quorate::consensus::internal {

inline qr_slice ToSlice(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
inline std::string_view ToView(qr_slice slice) {
  return {reinterpret_cast<const char*>(slice.ptr), slice.len};
}

class StorageBridge {
 public:
  explicit StorageBridge(Storage& storage) : storage_(storage) {}
  StorageBridge(const StorageBridge&) = delete;
  StorageBridge& operator=(const StorageBridge&) = delete;

  // The callbacks point to this object.
  qr_storage callbacks();

  // What the storage said when it last gave no answer: goes into the reason for a fence.
  const std::string& last_failure() const { return last_failure_; }

 private:
  struct Callbacks;

  int Fatal(std::string_view what);

  Storage& storage_;
  std::string last_failure_;
};

}  // namespace quorate::consensus::internal
