// Whatever comes in, a repository name that comes out is valid, and valid names stay inside.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "git/http_path.h"

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  const auto parsed = quorate::git::ParseGitTarget(target);
  if (const auto* found = std::get_if<quorate::git::GitTarget>(&parsed)) {
    const std::string framed = "/" + found->repository + "/";
    QUORATE_CHECK(quorate::git::IsValidRepositoryName(found->repository));
    QUORATE_CHECK(framed.find("/../") == std::string::npos);
    QUORATE_CHECK(framed.find("/./") == std::string::npos);
    QUORATE_CHECK(framed.find("//") == std::string::npos);
    QUORATE_CHECK(framed.find('\0') == std::string::npos);
    QUORATE_CHECK(framed.find('\\') == std::string::npos);
    QUORATE_CHECK(!found->repository.ends_with(".git"));
  }
  return 0;
}
