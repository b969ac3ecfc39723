#include "load/push_pack.h"

#include <fmt/format.h>
#include <openssl/sha.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::bench {
namespace {

enum PackType { kCommit = 1, kTree = 2, kBlob = 3 };

std::string Sha1(std::string_view bytes) {
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
       reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string RawId(std::string_view type, std::string_view content) {
  std::string object = fmt::format("{} {}", type, content.size());
  object.push_back('\0');
  object += content;
  return Sha1(object);
}

void AppendPacked(std::string& pack, PackType type, std::string_view content) {
  std::size_t size = content.size();
  auto byte = static_cast<unsigned char>((type << 4) | (size & 15));
  size >>= 4;
  while (size > 0) {
    pack.push_back(static_cast<char>(byte | 0x80));
    byte = static_cast<unsigned char>(size & 0x7f);
    size >>= 7;
  }
  pack.push_back(static_cast<char>(byte));
  uLongf compressed = compressBound(content.size());
  const std::size_t at = pack.size();
  pack.resize(at + compressed);
  QUORATE_CHECK(compress2(reinterpret_cast<Bytef*>(pack.data() + at), &compressed,
                          reinterpret_cast<const Bytef*>(content.data()), content.size(),
                          Z_BEST_SPEED) == Z_OK);
  pack.resize(at + compressed);
}

}  // namespace

SmallCommit MakeSmallCommit(std::string_view parent, std::string_view unique,
                            std::size_t file_bytes) {
  std::string blob = fmt::format("{}\n", unique);
  while (blob.size() < file_bytes) {
    blob += HexEncode(Sha1(blob));
  }
  std::string tree = "100644 file";
  tree.push_back('\0');
  tree += RawId("blob", blob);
  std::string commit = fmt::format("tree {}\n", HexEncode(RawId("tree", tree)));
  if (!parent.empty()) {
    commit += fmt::format("parent {}\n", parent);
  }
  commit +=
      "author Load <load@example.org> 1700000000 +0000\n"
      "committer Load <load@example.org> 1700000000 +0000\n\n";
  commit += fmt::format("{}\n", unique);

  SmallCommit result;
  result.id = HexEncode(RawId("commit", commit));
  result.pack = "PACK";
  AppendBigEndian32(result.pack, 2);
  AppendBigEndian32(result.pack, 3);
  AppendPacked(result.pack, kCommit, commit);
  AppendPacked(result.pack, kTree, tree);
  AppendPacked(result.pack, kBlob, blob);
  result.pack += Sha1(result.pack);
  return result;
}

std::string PktLine(std::string_view text) {
  return fmt::format("{:04x}{}", text.size() + 4, text);
}

std::string MakePushRequest(std::string_view old_id, std::string_view new_id, std::string_view ref,
                            std::string_view pack) {
  std::string command = fmt::format("{} {} {}", old_id, new_id, ref);
  command.push_back('\0');
  command += " report-status";
  return PktLine(command) + "0000" + std::string(pack);
}

std::string_view ZeroId() {
  return "0000000000000000000000000000000000000000";
}

}  // namespace quorate::bench
