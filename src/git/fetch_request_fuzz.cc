// A v2 request, with its ls-refs arguments if it is one, is judged the same however it is cut, and
// no byte of its head is lost.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "git/fetch_request.h"
#include "git/protocol.h"

namespace {

using quorate::git::LsRefsParser;
using quorate::git::V2Command;
using quorate::git::V2RequestParser;

// Feeds `parser` from the front of `body` until it is complete, fails or has seen all.
template <class Parser>
quorate::Status FeedAll(Parser& parser, std::string_view& body, std::size_t piece) {
  while (!parser.complete() && !body.empty()) {
    const std::string bytes(body.substr(0, piece));
    std::string_view input = bytes;
    QUORATE_TRY(parser.Feed(input));
    QUORATE_CHECK(parser.complete() || input.empty());
    body.remove_prefix(bytes.size() - input.size());
  }
  return parser.Finish();
}

std::string Parse(std::string_view body, std::size_t piece) {
  const std::string_view whole = body;
  V2RequestParser head(quorate::git::ObjectFormat::kSha1);
  const quorate::Status read = FeedAll(head, body, piece);
  if (!read) {
    return read.error().message();
  }
  QUORATE_CHECK(head.bytes() == whole.substr(0, whole.size() - body.size()));
  std::string text = head.head().agent;
  if (head.head().command != V2Command::kLsRefs || !head.head().has_arguments) {
    return text;
  }
  LsRefsParser arguments;
  const quorate::Status argued = FeedAll(arguments, body, piece);
  if (!argued) {
    return argued.error().message();
  }
  for (const std::string& prefix : quorate::git::MergedPrefixes(arguments.request())) {
    text += "[" + prefix + "]";
  }
  return text;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::string whole = Parse(body, size + 1);
  QUORATE_CHECK(Parse(body, 1) == whole);
  QUORATE_CHECK(Parse(body, 6) == whole);
  static_cast<void>(quorate::git::ParseGitProtocol(body));
  return 0;
}
