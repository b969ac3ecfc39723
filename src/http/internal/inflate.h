// Inflater: decodes gzip, piece by piece, into a bounded buffer: one member after another, as RFC
// 1952 has it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::http {

class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Decodes from the front of `input`, which it shortens, until its buffer is full or `input` is
  // empty. The result is valid until the next call; it may be empty before the end.
  // kInvalidArgument: not gzip, or what follows a member is not another one.
  Result<std::string_view> Next(std::string_view& input);

  // The end of a member, with its checksum, was the last that was seen.
  bool ended() const { return ended_; }

 private:
  struct Stream;

  std::unique_ptr<Stream> stream_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace quorate::http
