// What is taken for a fetch's arguments says the same when it is written again, and nothing is
// taken with anything cut off or added.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "git/fetch_arguments.h"
#include "git/pkt_line.h"

namespace {

using quorate::git::FetchArguments;
using quorate::git::ObjectFormat;
using quorate::git::ObjectId;
using quorate::git::ParseFetchArguments;

std::string Render(const FetchArguments& arguments) {
  std::string out;
  for (const ObjectId& id : arguments.wants) {
    quorate::git::AppendPacket(out, "want " + id.ToHex() + "\n");
  }
  for (const ObjectId& id : arguments.haves) {
    quorate::git::AppendPacket(out, "have " + id.ToHex());
  }
  if (arguments.done) {
    quorate::git::AppendPacket(out, "done\n");
  }
  if (arguments.no_progress) {
    quorate::git::AppendPacket(out, "no-progress");
  }
  if (arguments.include_tag) {
    quorate::git::AppendPacket(out, "include-tag");
  }
  quorate::git::AppendFlush(out);
  return out;
}

void Check(ObjectFormat format, std::string_view bytes) {
  const auto arguments = ParseFetchArguments(format, bytes);
  if (!arguments) {
    return;
  }
  const std::string rendered = Render(*arguments);
  const auto again = ParseFetchArguments(format, rendered);
  QUORATE_CHECK(again.has_value());
  QUORATE_CHECK(Render(*again) == rendered);
  QUORATE_CHECK(!ParseFetchArguments(format, bytes.substr(0, bytes.size() - 1)));
  QUORATE_CHECK(!ParseFetchArguments(format, std::string(bytes) + "0"));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(ObjectFormat::kSha1, bytes);
  Check(ObjectFormat::kSha256, bytes);
  return 0;
}
