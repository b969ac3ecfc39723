// The first byte chooses the format; the rest is a pack, read once as it is and once with a checksum
// that matches, so that what lies behind the checksum is reached.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "git/internal/pack_format.h"
#include "git/pack_reader.h"

namespace {

using namespace quorate;       // NOLINT(google-build-using-namespace)
using namespace quorate::git;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kMemoryMax = 1 << 20;

void Read(ObjectFormat format, std::string_view pack) {
  const FindBase find_base = [format](const ObjectId& id, std::size_t size_max) -> Result<Object> {
    const Object outside{ObjectType::kBlob, "outside"};
    if (id != HashObject(format, outside.type, outside.content).value()) {
      return Error(Code::kNotFound, "no such object");
    }
    if (outside.content.size() > size_max) {
      return Error(Code::kResourceExhausted, "too large");
    }
    return outside;
  };
  const auto objects =
      ReadPack(format, pack, {.objects_max = 100, .memory_bytes_max = kMemoryMax}, find_base);
  if (!objects) {
    return;
  }
  std::size_t total = 0;
  for (const UnpackedObject& object : *objects) {
    QUORATE_CHECK(object.id == HashObject(format, object.type, object.content).value());
    total += object.content.size();
  }
  QUORATE_CHECK(total <= kMemoryMax);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) {
    return 0;
  }
  const ObjectFormat format = (input[0] & 1) != 0 ? ObjectFormat::kSha1 : ObjectFormat::kSha256;
  input.remove_prefix(1);
  Read(format, input);
  if (input.size() >= RawSize(format)) {
    const std::string body(input.substr(0, input.size() - RawSize(format)));
    Read(format, body + quorate::git::internal::PackChecksum(format, body));
  }
  return 0;
}
