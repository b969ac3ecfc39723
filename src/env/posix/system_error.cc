#include "env/posix/system_error.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace quorate::env {
namespace {

Code CodeOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Code::kResourceExhausted;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Error SystemError(int error_number, std::string_view doing) {
  return {CodeOf(error_number),
          std::string(doing) + ": " + std::generic_category().message(error_number)};
}

}  // namespace quorate::env
