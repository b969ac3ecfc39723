// A push request is judged the same however its bytes are cut, in both object formats.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "git/push_request.h"

namespace {

using quorate::git::ObjectFormat;
using quorate::git::PushRequestParser;

std::string Parse(std::string_view body, std::size_t piece, ObjectFormat format) {
  PushRequestParser parser(format, {.commands_max = 50, .push_options_max = 5});
  const std::size_t size = body.size();
  while (!parser.complete() && !body.empty()) {
    const std::string bytes(body.substr(0, piece));
    std::string_view input = bytes;
    const quorate::Status fed = parser.Feed(input);
    if (!fed) {
      return fed.error().message();
    }
    QUORATE_CHECK(parser.complete() || input.empty());
    body.remove_prefix(bytes.size() - input.size());
  }
  QUORATE_CHECK(parser.Finish().has_value() == parser.complete());
  QUORATE_CHECK(parser.request().commands.size() <= 50);
  QUORATE_CHECK(parser.request().push_options.size() <= 5);
  std::string text = std::to_string(size - body.size());
  for (const auto& command : parser.request().commands) {
    QUORATE_CHECK(command.old_id.format() == format);
    text += command.ref + (command.repeats ? "!" : "?") + command.new_id.ToHex();
  }
  return text;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const ObjectFormat format : {ObjectFormat::kSha1, ObjectFormat::kSha256}) {
    const std::string whole = Parse(body, size + 1, format);
    QUORATE_CHECK(Parse(body, 1, format) == whole);
    QUORATE_CHECK(Parse(body, 7, format) == whole);
  }
  return 0;
}
