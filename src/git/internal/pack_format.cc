#include "git/internal/pack_format.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace quorate::git::internal {

std::string PackChecksum(ObjectFormat format, std::string_view bytes) {
  const EVP_MD* hash = format == ObjectFormat::kSha1 ? EVP_sha1() : EVP_sha256();
  std::string checksum(RawSize(format), '\0');
  unsigned int size = 0;
  QUORATE_CHECK(EVP_Digest(bytes.data(), bytes.size(),
                           reinterpret_cast<unsigned char*>(checksum.data()), &size, hash,
                           nullptr) == 1);
  QUORATE_CHECK(size == checksum.size());
  return checksum;
}

}  // namespace quorate::git::internal
