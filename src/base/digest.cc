#include "base/digest.h"

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate {

std::string Sha256Digest::ToHex() const {
  return HexEncode(view());
}

struct Sha256Hasher::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool finished = false;

  Impl() {
    QUORATE_CHECK(context != nullptr);
    QUORATE_CHECK(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  }
  ~Impl() { EVP_MD_CTX_free(context); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

Sha256Hasher::Sha256Hasher() : impl_(std::make_unique<Impl>()) {
}
Sha256Hasher::~Sha256Hasher() = default;

void Sha256Hasher::Update(std::string_view bytes) {
  QUORATE_CHECK(!impl_->finished);
  QUORATE_CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256Hasher::Finish() {
  QUORATE_CHECK(!impl_->finished);
  impl_->finished = true;
  Sha256Digest digest;
  unsigned int size = 0;
  QUORATE_CHECK(EVP_DigestFinal_ex(impl_->context, digest.bytes.data(), &size) == 1);
  QUORATE_CHECK(size == digest.bytes.size());
  return digest;
}

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Hasher hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

}  // namespace quorate
