// The decoder finds the same packets however the bytes are cut, never hands out more than it was
// given, and the encoder gives back what was read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "git/pkt_line.h"

namespace {

using quorate::git::Packet;
using quorate::git::PktLineDecoder;

void Encode(std::string& out, const Packet& packet) {
  switch (packet.kind) {
    case Packet::Kind::kData:
      quorate::git::AppendPacket(out, packet.payload);
      break;
    case Packet::Kind::kFlush:
      quorate::git::AppendFlush(out);
      break;
    case Packet::Kind::kDelimiter:
      quorate::git::AppendDelimiter(out);
      break;
    case Packet::Kind::kResponseEnd:
      quorate::git::AppendResponseEnd(out);
      break;
  }
}

// The packets read up to an error or the end, encoded again, and how it ended.
std::string Decode(std::string_view stream, std::size_t piece) {
  PktLineDecoder decoder;
  std::string out;
  while (!stream.empty()) {
    const std::string bytes(stream.substr(0, piece));
    stream.remove_prefix(bytes.size());
    std::string_view input = bytes;
    for (;;) {
      const auto packet = decoder.Next(input);
      if (!packet) {
        return out + " error";
      }
      if (!*packet) {
        QUORATE_CHECK(input.empty());
        break;
      }
      Encode(out, **packet);
    }
  }
  return out + (decoder.Finish() ? " end" : " truncated");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const std::string whole = Decode(stream, size + 1);
  QUORATE_CHECK(Decode(stream, 1) == whole);
  QUORATE_CHECK(Decode(stream, 5) == whole);
  QUORATE_CHECK(whole.size() <= size + 10);
  return 0;
}
