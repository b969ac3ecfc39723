#define ZLIB_CONST
#include "http/internal/inflate.h"

#include <zlib.h>

#include <cstddef>

namespace quorate::http {
namespace {

constexpr std::size_t kBufferBytes = 32 << 10;
constexpr int kGzipOnly = 15 + 16;  // The largest window, and a gzip header required.

}  // namespace

struct Inflater::Stream {
  z_stream z{};
};

Inflater::Inflater() : stream_(std::make_unique<Stream>()) {
  buffer_.resize(kBufferBytes);
  QUORATE_CHECK(inflateInit2(&stream_->z, kGzipOnly) == Z_OK);
}

Inflater::~Inflater() {
  inflateEnd(&stream_->z);
}

Result<std::string_view> Inflater::Next(std::string_view& input) {
  if (input.empty()) {
    return std::string_view();
  }
  z_stream& z = stream_->z;
  if (ended_) {  // Another member follows.
    QUORATE_CHECK(inflateReset(&z) == Z_OK);
    ended_ = false;
  }
  z.next_in = reinterpret_cast<const Bytef*>(input.data());
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<Bytef*>(buffer_.data());
  z.avail_out = static_cast<uInt>(buffer_.size());
  const int outcome = inflate(&z, Z_NO_FLUSH);
  input.remove_prefix(input.size() - z.avail_in);
  if (outcome == Z_STREAM_END) {
    ended_ = true;
  } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
    return Error(Code::kInvalidArgument, "the body is not a valid gzip stream");
  }
  return std::string_view(buffer_).substr(0, buffer_.size() - z.avail_out);
}

}  // namespace quorate::http
