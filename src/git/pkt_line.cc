#include "git/pkt_line.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::git {

namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kErrorMessageBytesMax = 1000;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

// The length field of a packet: 0, 1, 2 are the special packets, 3 is none.
Result<std::size_t> ParseLength(std::string_view digits) {
  std::size_t length = 0;
  for (const char c : digits) {
    const int digit = HexDigit(c);
    if (digit < 0) {
      return Error(Code::kInvalidArgument, "bad packet length '" + Printable(digits) + "'");
    }
    length = length * 16 + static_cast<std::size_t>(digit);
  }
  if (length == 3 || length > kPktLineBytesMax) {
    return Error(Code::kInvalidArgument, "bad packet length '" + Printable(digits) + "'");
  }
  return length;
}

Packet SpecialPacket(std::size_t length) {
  switch (length) {
    case 0:
      return {Packet::Kind::kFlush, {}};
    case 1:
      return {Packet::Kind::kDelimiter, {}};
    default:
      return {Packet::Kind::kResponseEnd, {}};
  }
}

void AppendLength(std::string& out, std::size_t length) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::array<char, kLengthBytes> digits = {kDigits[length >> 12 & 15],
                                                 kDigits[length >> 8 & 15],
                                                 kDigits[length >> 4 & 15], kDigits[length & 15]};
  out.append(digits.data(), digits.size());
}

}  // namespace

Result<std::optional<Packet>> TakePacket(std::string_view& input) {
  if (input.size() < kLengthBytes) {
    return std::optional<Packet>();
  }
  const std::size_t length = QUORATE_TRY(ParseLength(input.substr(0, kLengthBytes)));
  if (length < kLengthBytes) {
    input.remove_prefix(kLengthBytes);
    return std::optional(SpecialPacket(length));
  }
  if (input.size() < length) {
    return std::optional<Packet>();
  }
  const Packet packet{Packet::Kind::kData, input.substr(kLengthBytes, length - kLengthBytes)};
  input.remove_prefix(length);
  return std::optional(packet);
}

Result<std::optional<Packet>> PktLineDecoder::Next(std::string_view& input) {
  if (std::exchange(consumed_, false)) {
    held_.clear();
  }
  if (held_.empty()) {
    const std::optional<Packet> whole = QUORATE_TRY(TakePacket(input));
    if (!whole) {
      held_.assign(std::exchange(input, {}));
    }
    return whole;
  }

  // First the length, then exactly the bytes it asks for, so that nothing beyond the packet is
  // held.
  std::size_t wanted = kLengthBytes;
  for (;;) {
    if (held_.size() < wanted) {
      const std::size_t taken = std::min(wanted - held_.size(), input.size());
      held_.append(input.substr(0, taken));
      input.remove_prefix(taken);
    }
    if (held_.size() < wanted) {
      return std::optional<Packet>();
    }
    std::string_view held = held_;
    const std::optional<Packet> packet = QUORATE_TRY(TakePacket(held));
    if (packet) {
      consumed_ = true;
      return packet;
    }
    wanted = QUORATE_TRY(ParseLength(held.substr(0, kLengthBytes)));
  }
}

Status PktLineDecoder::Finish() const {
  if (!consumed_ && !held_.empty()) {
    return Error(Code::kInvalidArgument, "the stream ends within a packet");
  }
  return Ok();
}

std::string_view WithoutNewline(std::string_view line) {
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  return line;
}

void AppendPacket(std::string& out, std::string_view payload) {
  QUORATE_CHECK(payload.size() <= kPktPayloadBytesMax);
  AppendLength(out, payload.size() + kLengthBytes);
  out.append(payload);
}

void AppendFlush(std::string& out) {
  out.append("0000");
}

void AppendDelimiter(std::string& out) {
  out.append("0001");
}

void AppendResponseEnd(std::string& out) {
  out.append("0002");
}

void AppendErrorPacket(std::string& out, std::string_view message) {
  std::string line = "ERR ";
  line.append(message.substr(0, kErrorMessageBytesMax));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  AppendPacket(out, line);
}

void AppendSideband(std::string& out, Band band, std::string_view bytes,
                    std::size_t data_bytes_max) {
  QUORATE_CHECK(data_bytes_max > 0);
  QUORATE_CHECK(data_bytes_max <= kSidebandBytesMax);
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, data_bytes_max);
    AppendLength(out, piece.size() + kLengthBytes + 1);
    out.push_back(static_cast<char>(band));
    out.append(piece);
    bytes.remove_prefix(piece.size());
  }
}

void AppendKeepalive(std::string& out) {
  AppendLength(out, kLengthBytes + 1);
  out.push_back(static_cast<char>(Band::kProgress));
}

}  // namespace quorate::git
