// Inflater: decodes one gzip stream, piece by piece, into a bounded buffer.
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
  // empty. The result is valid until the next call. kInvalidArgument: not gzip, or bytes after its
  // end.
  Result<std::string_view> Next(std::string_view& input);

  // The stream's end, with its checksum, was seen.
  bool ended() const { return ended_; }

 private:
  struct Stream;

  std::unique_ptr<Stream> stream_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace quorate::http
