// Randomness that an adversary cannot guess, as an interface, so that the simulator can seed it.
#pragma once

#include <array>
#include <cstdint>

namespace quorate::env {

class Random {
 public:
  virtual ~Random() = default;

  // Uniform over all 64-bit numbers. Safe from any thread.
  virtual std::uint64_t Next() = 0;
};

}  // namespace quorate::env
