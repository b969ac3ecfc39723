// Pkt-lines, the framing of every Git protocol: four hexadecimal digits of length (themselves
// included), then the payload. 0000 is a flush, 0001 a delimiter, 0002 the end of a response.
//
// Pure: no I/O, no threads. Whatever is malformed is kInvalidArgument, and the stream is then
// useless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::git {

inline constexpr std::size_t kPktLineBytesMax = 65520;  // With its length.
inline constexpr std::size_t kPktPayloadBytesMax = kPktLineBytesMax - 4;
inline constexpr std::size_t kSidebandBytesMax = kPktPayloadBytesMax - 1;  // side-band-64k.
inline constexpr std::size_t kSmallSidebandBytesMax = 995;                 // Plain side-band.

struct Packet {
  enum class Kind : std::uint8_t { kData, kFlush, kDelimiter, kResponseEnd };

  Kind kind = Kind::kFlush;
  std::string_view payload{};  // Of kData; may be empty ("0004"). Borrowed.
};

// Takes one packet from the front of `input`, without copying. Nothing, and `input` untouched, if
// it is not there as a whole yet. A length that cannot be one is refused as soon as it is seen.
Result<std::optional<Packet>> TakePacket(std::string_view& input);

// The same for bytes that arrive in pieces. It holds one incomplete packet at most.
class PktLineDecoder {
 public:
  // Takes one packet from the bytes held back so far followed by `input`, and removes from `input`
  // what it used. Nothing: all of `input` was used and more is needed. The payload is valid until
  // the next call, and as long as `input`'s bytes are.
  Result<std::optional<Packet>> Next(std::string_view& input);

  // No more bytes will come. kInvalidArgument if they end within a packet.
  Status Finish() const;

 private:
  std::string held_;       // The begin of a packet.
  bool consumed_ = false;  // held_ was handed out as a packet.
};

// `line` without the one newline that text packets may end with.
std::string_view WithoutNewline(std::string_view line);

// REQUIRES: payload.size() <= kPktPayloadBytesMax.
void AppendPacket(std::string& out, std::string_view payload);
void AppendFlush(std::string& out);
void AppendDelimiter(std::string& out);
void AppendResponseEnd(std::string& out);

// "ERR <message>": ends a request at any point before the pack. Control bytes in `message` become
// spaces; it is cut to 1000 bytes.
void AppendErrorPacket(std::string& out, std::string_view message);

enum class Band : std::uint8_t { kData = 1, kProgress = 2, kError = 3 };

// `bytes` in as many packets of `band` as it takes, `data_bytes_max` (kSidebandBytesMax or
// kSmallSidebandBytesMax) in each. No bytes: no packet; see AppendKeepalive().
void AppendSideband(std::string& out, Band band, std::string_view bytes,
                    std::size_t data_bytes_max = kSidebandBytesMax);

// An empty packet of band 2, which clients drop, so that proxies see a living connection.
void AppendKeepalive(std::string& out);

}  // namespace quorate::git
