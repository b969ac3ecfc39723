#include "git/pack_writer.h"

#include "base/bytes.h"
#include "git/internal/pack_format.h"
#include "git/internal/zlib.h"

namespace quorate::git {

namespace {

constexpr int kLevel = 1;

}  // namespace

std::string EntryHead(int kind, std::uint64_t size) {
  std::string head;
  std::uint64_t byte = (static_cast<std::uint64_t>(kind) << 4) | (size & 0x0f);
  size >>= 4;
  while (size > 0) {
    head += static_cast<char>(byte | 0x80);
    byte = size & 0x7f;
    size >>= 7;
  }
  head += static_cast<char>(byte);
  return head;
}

std::string WholeEntry(ObjectType type, std::string_view content) {
  return EntryHead(static_cast<int>(type), content.size()) + internal::Deflate(content, kLevel);
}

std::string SealPack(ObjectFormat format, std::uint32_t count, std::string_view entries) {
  std::string pack(internal::kPackSignature);
  AppendBigEndian32(pack, 2);
  AppendBigEndian32(pack, count);
  pack += entries;
  return pack + internal::PackChecksum(format, pack);
}

}  // namespace quorate::git
