// The first byte chooses format and type; the rest is the object's content.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "git/object_check.h"

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quorate::git;  // NOLINT(google-build-using-namespace)
  std::string_view content(reinterpret_cast<const char*>(data), size);
  if (content.empty()) {
    return 0;
  }
  const auto choice = static_cast<unsigned char>(content[0]);
  content.remove_prefix(1);
  const ObjectFormat format = (choice & 4) != 0 ? ObjectFormat::kSha256 : ObjectFormat::kSha1;
  const auto type = static_cast<ObjectType>((choice & 3) + 1);
  const auto checked = CheckObject(ObjectId::Zero(format), type, content);
  if (!checked) {
    QUORATE_CHECK(checked.error().code() == quorate::Code::kInvalidArgument);
    return 0;
  }
  const std::size_t references = checked->references.size();
  QUORATE_CHECK(type != ObjectType::kBlob || references == 0);
  QUORATE_CHECK(type != ObjectType::kTag || references == 1);
  QUORATE_CHECK(type != ObjectType::kCommit || references >= 1);
  QUORATE_CHECK(references * RawSize(format) <= content.size());
  for (const Reference& reference : checked->references) {
    QUORATE_CHECK(reference.id.format() == format);
  }
  return 0;
}
