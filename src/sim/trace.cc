#include "sim/trace.h"

#include <chrono>
#include <utility>

namespace quorate::sim {

Trace::Trace(const env::Clock& clock, Sink sink) : clock_(clock), sink_(std::move(sink)) {
}

void Trace::Mix(std::uint64_t number) {
  hash_ = (hash_ ^ number) * 0x100000001b3ULL;
}

// FNV-1a.
void Trace::Add(std::string_view text) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Monotonic());
  Mix(static_cast<std::uint64_t>(now.count()));
  for (const char byte : text) {
    Mix(static_cast<unsigned char>(byte));
  }
  if (sink_) {
    sink_(fmt::format("{:7.3f} {}", static_cast<double>(now.count()) / 1000, text));
  }
}

}  // namespace quorate::sim
