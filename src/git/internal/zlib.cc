#include "git/internal/zlib.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace quorate::git::internal {
namespace {

constexpr std::size_t kRatioMax = 1032;  // Of deflate: 258 bytes from 2 bits.

unsigned int Bounded(std::size_t size) {
  return static_cast<unsigned int>(
      std::min<std::size_t>(size, std::numeric_limits<unsigned int>::max()));
}

class Inflater {
 public:
  explicit Inflater(std::string_view input) : input_(input) {
    // zlib takes a pointer to const only when built so.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    QUORATE_CHECK(inflateInit(&stream_) == Z_OK);
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `out` as far as the stream goes. Z_OK: full, and the stream goes on, perhaps by nothing
  // but its end; Z_STREAM_END; else it is broken or cut off.
  int Fill(char* out, std::size_t size) {
    std::size_t done = 0;
    while (true) {
      stream_.next_out = reinterpret_cast<Bytef*>(out + done);
      stream_.avail_out = Bounded(size - done);
      stream_.avail_in = Bounded(input_.size() - consumed());
      const uInt room = stream_.avail_out;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      written_ += room - stream_.avail_out;
      if (code != Z_OK || done == size) {
        return code;
      }
    }
  }

  std::size_t consumed() const { return stream_.total_in; }
  std::size_t written() const { return written_; }

 private:
  std::string_view input_;
  z_stream stream_{};
  std::size_t written_ = 0;
};

}  // namespace

std::string Deflate(std::string_view bytes, int level) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  QUORATE_CHECK(compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                          reinterpret_cast<const Bytef*>(bytes.data()),
                          static_cast<uLong>(bytes.size()), level) == Z_OK);
  out.resize(size);
  return out;
}

Result<Inflated> InflateExactly(std::string_view input, std::size_t size) {
  if (size / kRatioMax > input.size()) {
    return Error(Code::kInvalidArgument, "data ends before its declared size");
  }
  Inflater inflater(input);
  // One byte more than declared shows a stream that goes on.
  Inflated inflated;
  inflated.bytes.resize(size + 1);
  const int code = inflater.Fill(inflated.bytes.data(), size + 1);
  if (code == Z_OK || (code == Z_STREAM_END && inflater.written() != size)) {
    return Error(Code::kInvalidArgument, "data does not have its declared size");
  }
  if (code != Z_STREAM_END) {
    return Error(Code::kInvalidArgument,
                 code == Z_BUF_ERROR ? "data is cut off" : "data is not a valid zlib stream");
  }
  inflated.bytes.resize(size);
  inflated.consumed = inflater.consumed();
  return inflated;
}

Result<std::string> InflateHead(std::string_view input, std::size_t size_max) {
  Inflater inflater(input);
  std::string bytes(size_max, '\0');
  const int code = inflater.Fill(bytes.data(), size_max);
  // A cut-off input is fine here: the caller may have read the head only.
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
    return Error(Code::kInvalidArgument, "data is not a valid zlib stream");
  }
  bytes.resize(inflater.written());
  return bytes;
}

}  // namespace quorate::git::internal
