#include "git/internal/loose_objects.h"

#include <charconv>
#include <utility>

#include "git/internal/zlib.h"

namespace quorate::git::internal {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kHeadBytesMax = 32;     // "commit 18446744073709551615\0".
constexpr std::size_t kHeadInputBytes = 128;  // Enough compressed bytes to inflate these.

Error Damaged(const std::string& hex, std::string_view what) {
  return {Code::kCorruption, "loose object " + hex + ": " + std::string(what)};
}

struct ParsedHead {
  ObjectHead head;
  std::size_t length = 0;  // With the NUL.
};

std::optional<ParsedHead> ParseHead(std::string_view bytes) {
  const std::size_t space = bytes.find(' ');
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos || space > end) {
    return std::nullopt;
  }
  const std::optional<ObjectType> type = ParseTypeName(bytes.substr(0, space));
  std::uint64_t size = 0;
  const char* const digits = bytes.data() + space + 1;
  const auto parsed = std::from_chars(digits, bytes.data() + end, size);
  if (!type || parsed.ec != std::errc() || parsed.ptr != bytes.data() + end) {
    return std::nullopt;
  }
  return ParsedHead{{*type, size}, end + 1};
}

Result<ParsedHead> ReadHead(const std::string& hex, std::string_view input) {
  const Result<std::string> bytes = InflateHead(input, kHeadBytesMax);
  const std::optional<ParsedHead> head = bytes ? ParseHead(*bytes) : std::nullopt;
  if (!head) {
    return Damaged(hex, "its header is not readable");
  }
  return *head;
}

}  // namespace

Result<std::optional<ObjectHead>> LooseObjects::FindHead(const ObjectId& id) {
  const std::string hex = id.ToHex();
  const Result<std::string> input = files_.ReadRange(Path(hex), 0, kHeadInputBytes);
  if (!input && input.error().code() == Code::kNotFound) {
    return std::optional<ObjectHead>();
  }
  if (!input) {
    return input.error();
  }
  const ParsedHead parsed = QUORATE_TRY(ReadHead(hex, *input));
  return std::optional<ObjectHead>(parsed.head);
}

Result<std::optional<Object>> LooseObjects::Find(const ObjectId& id, std::uint64_t size_max) {
  const std::optional<ObjectHead> head = QUORATE_TRY(FindHead(id));
  if (!head) {
    return std::optional<Object>();
  }
  const std::string hex = id.ToHex();
  if (head->size > size_max) {
    return Error(Code::kResourceExhausted, "object " + hex + " is too large");
  }
  const std::string input = QUORATE_TRY(files_.ReadFile(Path(hex)));
  const ParsedHead parsed = QUORATE_TRY(ReadHead(hex, input));
  Result<Inflated> inflated = InflateExactly(input, parsed.length + head->size);
  if (!inflated) {
    return Damaged(hex, inflated.error().message());
  }
  return std::optional<Object>(Object{head->type, inflated->bytes.substr(parsed.length)});
}

Status LooseObjects::Write(const ObjectId& id, ObjectType type, std::string_view content,
                           Existing existing) {
  const std::string hex = id.ToHex();
  if (existing == Existing::kTrust && files_.FileSize(Path(hex)).has_value() &&
      *files_.FileSize(Path(hex)) > 0) {
    return Ok();
  }
  // Made elsewhere, so that a crash leaves no strange names among the objects.
  const std::string scratch = scratch_ + "/loose-" + std::to_string(written_.fetch_add(1));
  const std::string bytes = ObjectHeader(type, content.size()) + std::string(content);
  QUORATE_TRY(files_.WriteFile(scratch, Deflate(bytes, kLevel)));
  Status named = files_.Rename(scratch, Path(hex));
  if (!named && named.error().code() == Code::kNotFound) {
    QUORATE_TRY(files_.CreateDirectories(Directory(hex)));
    named = files_.Rename(scratch, Path(hex));
  }
  return named;
}

std::string LooseObjects::Directory(const std::string& hex) const {
  return objects_ + "/" + hex.substr(0, 2);
}

std::string LooseObjects::Path(const std::string& hex) const {
  return Directory(hex) + "/" + hex.substr(2);
}

}  // namespace quorate::git::internal
