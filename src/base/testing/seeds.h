// How many seeds a property test or a fuzz test runs.
//
//   QUORATE_SEED=n         seed n alone
//   QUORATE_SEED_COUNT=m   m seeds, from QUORATE_SEED or from the test's own first one
//
// Without these, the number the test asks for; a fifth of it in a build with a sanitizer, which is
// several times slower and looks at each step, not at how many there are.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace quorate {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  bool chosen =
      false;  // By the environment: nothing can be expected of what all seeds do together.

  std::uint64_t end() const { return first + count; }
};

// `count` seeds from `first` on, or what the environment says.
inline Seeds ChooseSeeds(std::uint64_t first, std::uint64_t count) {
  const char* const seed = std::getenv("QUORATE_SEED");
  const char* const many = std::getenv("QUORATE_SEED_COUNT");
  if (seed == nullptr && many == nullptr) {
    return {first, kSanitized ? std::max<std::uint64_t>(1, count / 5) : count, false};
  }
  return {seed == nullptr ? first : std::strtoull(seed, nullptr, 10),
          many == nullptr ? 1 : std::strtoull(many, nullptr, 10), true};
}

}  // namespace quorate
