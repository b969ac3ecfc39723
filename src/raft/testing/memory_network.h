// MemoryNetwork carries messages between the replicas of one group, in memory, as badly as a test
// wants: it loses, delays, duplicates and reorders them, and cuts links in one direction.
//
// Everything it does follows from its seed and from what it is given; digest() tells two runs
// apart. Time is counted in turns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/prng.h"
#include "raft/transport.h"

namespace quorate::raft {

struct Weather {
  std::uint64_t drop_percent = 0;
  std::uint64_t duplicate_percent = 0;
  std::uint64_t delay_turns_max = 0;  // Each message takes 0..max turns; that reorders them too.
};

class MemoryNetwork {
 public:
  // Gets each message that arrives.
  using Receiver = std::function<void(const Message&)>;

  MemoryNetwork(std::uint64_t seed, Receiver receiver);

  void set_weather(const Weather& weather) { weather_ = weather; }

  // What a replica sends through.
  Transport& transport() { return endpoint_; }

  // Asked of each message that is about to arrive: false, and it is lost. Null: none is.
  void SetGate(std::function<bool(const Message&)> gate) { gate_ = std::move(gate); }

  void Cut(ReplicaId from, ReplicaId to) { cuts_.emplace(from, to); }
  void Heal() { cuts_.clear(); }

  // Delivers what is due and begins the next turn. Messages sent while it runs wait for that.
  void Turn();

  // Drops everything under way.
  void Clear() { under_way_.clear(); }

  // Under way, oldest first.
  std::vector<Message> Pending() const;
  bool empty() const { return under_way_.empty(); }

  std::uint64_t digest() const { return digest_; }

 private:
  struct Endpoint final : Transport {
    explicit Endpoint(MemoryNetwork& owner) : network(owner) {}
    void Send(Message message) override { network.Send(std::move(message)); }
    MemoryNetwork& network;
  };
  struct UnderWay {
    std::uint64_t due;
    Message message;
  };

  void Send(Message message);
  void Enqueue(Message message);
  void Digest(const Message& message);

  Prng prng_;
  const Receiver receiver_;
  std::function<bool(const Message&)> gate_;
  Endpoint endpoint_{*this};
  Weather weather_;
  std::uint64_t now_ = 0;
  std::vector<UnderWay> under_way_;  // In the order of sending.
  std::set<std::pair<ReplicaId, ReplicaId>> cuts_;
  std::uint64_t digest_ = 0xcbf29ce484222325ULL;
};

}  // namespace quorate::raft
