#include "raft/testing/memory_network.h"

#include <string_view>

namespace quorate::raft {

MemoryNetwork::MemoryNetwork(std::uint64_t seed, Receiver receiver)
    : prng_(seed), receiver_(std::move(receiver)) {
}

void MemoryNetwork::Send(Message message) {
  Digest(message);
  if (cuts_.contains({message.from, message.to})) {
    return;
  }
  if (weather_.drop_percent > prng_.Below(100)) {
    return;
  }
  if (weather_.duplicate_percent > prng_.Below(100)) {
    Enqueue(message);
  }
  Enqueue(std::move(message));
}

void MemoryNetwork::Enqueue(Message message) {
  const std::uint64_t delay = prng_.Below(weather_.delay_turns_max + 1);
  under_way_.push_back({.due = now_ + delay, .message = std::move(message)});
}

void MemoryNetwork::Turn() {
  std::vector<UnderWay> due;
  std::vector<UnderWay> later;
  for (UnderWay& item : under_way_) {
    (item.due <= now_ ? due : later).push_back(std::move(item));
  }
  under_way_ = std::move(later);
  ++now_;
  for (const UnderWay& item : due) {
    // A cut also stops what left before it.
    const bool cut = cuts_.contains({item.message.from, item.message.to});
    if (!cut && (!gate_ || gate_(item.message))) {
      receiver_(item.message);
    }
  }
}

std::vector<Message> MemoryNetwork::Pending() const {
  std::vector<Message> messages;
  for (const UnderWay& item : under_way_) {
    messages.push_back(item.message);
  }
  return messages;
}

// FNV-1a.
void MemoryNetwork::Digest(const Message& message) {
  const auto mix = [this](std::string_view bytes) {
    for (const char byte : bytes) {
      digest_ = (digest_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    }
  };
  mix(std::to_string(message.from.value) + ">" + std::to_string(message.to.value) + ":");
  mix(message.bytes);
}

}  // namespace quorate::raft
