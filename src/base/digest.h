// SHA-256, the digest under which packs are named in the log (FIPS 180-4).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace quorate {

struct Sha256Digest {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const Sha256Digest&, const Sha256Digest&) = default;
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string ToHex() const;
};

// Digests a stream piece by piece. Not copyable; one use.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  void Update(std::string_view bytes);
  // REQUIRES: called once; no Update() after it.
  Sha256Digest Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Sha256Digest Sha256(std::string_view bytes);

}  // namespace quorate
