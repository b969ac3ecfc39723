// A seeded generator of pseudo-random numbers: the same seed gives the same numbers on every
// machine. For tests, simulation and jitter, never for secrets.
//
// xoshiro256** 1.0 seeded by splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom number
// generators", 2018).
#pragma once

#include <array>
#include <cstdint>

#include "base/check.h"

namespace quorate {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t Next() {
    const std::uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = RotateLeft(state_[3], 45);
    return result;
  }

  // A number in [0, bound). The bias for bounds far below 2^64 is of no matter to a test.
  std::uint64_t Below(std::uint64_t bound) {
    QUORATE_CHECK(bound > 0);
    return Next() % bound;
  }

  // True once in `n` calls on average.
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }

 private:
  static std::uint64_t RotateLeft(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  std::array<std::uint64_t, 4> state_;
};

}  // namespace quorate
