// Trace: what happened in a run, a line each, as a person reads it, and as one number.
//
// The number is always kept, so that two runs can be compared; the lines only if they are wanted.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "env/clock.h"

namespace quorate::sim {

class Trace {
 public:
  using Sink = std::function<void(std::string_view line)>;

  // `clock` outlives it. Without a sink, lines are only hashed.
  Trace(const env::Clock& clock, Sink sink);

  // "00.120 " and the text: seconds of simulated time.
  template <class... Arguments>
  void Note(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    Add(fmt::format(format, std::forward<Arguments>(arguments)...));
  }
  // A number that is part of the run and not worth a line.
  void Mix(std::uint64_t number);

  std::uint64_t hash() const { return hash_; }

 private:
  void Add(std::string_view text);

  const env::Clock& clock_;
  const Sink sink_;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace quorate::sim
