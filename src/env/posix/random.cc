#include "env/posix/random.h"

#include <sys/random.h>

#include <cerrno>
#include <span>
#include <utility>

#include "base/check.h"

namespace quorate::env {
namespace {

void Fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) {
      QUORATE_CHECK(errno == EINTR);
      continue;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

std::uint64_t PosixRandom::Next() {
  const std::lock_guard lock(mutex_);
  if (left_ == 0) {
    Fill(std::as_writable_bytes(std::span(words_)));
    left_ = words_.size();
  }
  return std::exchange(words_[--left_], 0);
}

}  // namespace quorate::env
