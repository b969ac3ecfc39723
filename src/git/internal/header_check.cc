#include "git/internal/header_check.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace quorate::git::internal {
namespace {

Error Malformed(std::string_view msgid, std::string_view what) {
  return {Code::kInvalidArgument, std::string(msgid) + ": " + std::string(what)};
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Headers end with an empty line or, without a body, with the last line's end. No NUL among them.
Status CheckHeaderEnd(std::string_view content) {
  const std::size_t end = content.find("\n\n");
  if (content.substr(0, end).find('\0') != std::string_view::npos) {
    return Malformed("nulInHeader", "unterminated header: NUL in it");
  }
  if (end == std::string_view::npos && !content.ends_with('\n')) {
    return Malformed("unterminatedHeader", "unterminated header");
  }
  return Ok();
}

bool TakePrefix(std::string_view& rest, std::string_view prefix) {
  if (!rest.starts_with(prefix)) {
    return false;
  }
  rest.remove_prefix(prefix.size());
  return true;
}

// REQUIRES: a line end follows (CheckHeaderEnd).
std::optional<std::string_view> TakeLine(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::optional<ObjectId> TakeId(ObjectFormat format, std::string_view& rest) {
  const std::optional<std::string_view> line = TakeLine(rest);
  return line ? ObjectId::FromHex(format, *line) : std::nullopt;
}

// "<seconds> <zone>", seconds without leading zeros in 63 bits, zone as +0100.
Status CheckDate(std::string_view date) {
  const std::size_t space = date.find(' ');
  const std::string_view seconds = date.substr(0, space);
  if (seconds.empty() || space == std::string_view::npos ||
      !std::ranges::all_of(seconds, IsDigit)) {
    return Malformed("badDate", "invalid author/committer line - bad date");
  }
  if (seconds.size() > 1 && seconds.front() == '0') {
    return Malformed("zeroPaddedDate", "invalid author/committer line - zero-padded date");
  }
  constexpr std::string_view kMost = "9223372036854775807";
  static_assert(std::numeric_limits<std::int64_t>::max() == 9223372036854775807);
  if (seconds.size() > kMost.size() || (seconds.size() == kMost.size() && seconds > kMost)) {
    return Malformed("badDateOverflow",
                     "invalid author/committer line - date causes integer overflow");
  }
  const std::string_view zone = date.substr(space + 1);
  if (zone.size() != 5 || (zone[0] != '+' && zone[0] != '-') ||
      !std::ranges::all_of(zone.substr(1), IsDigit)) {
    return Malformed("badTimezone", "invalid author/committer line - bad time zone");
  }
  return Ok();
}

// "Name <email> date". The name may be empty, but not its space.
Status CheckIdentity(std::string_view line) {
  if (line.starts_with('<')) {
    return Malformed("missingNameBeforeEmail",
                     "invalid author/committer line - missing space before email");
  }
  const std::size_t open = line.find_first_of("<>");
  if (open != std::string_view::npos && line[open] == '>') {
    return Malformed("badName", "invalid author/committer line - bad name");
  }
  if (open == std::string_view::npos) {
    return Malformed("missingEmail", "invalid author/committer line - missing email");
  }
  if (line[open - 1] != ' ') {
    return Malformed("missingSpaceBeforeEmail",
                     "invalid author/committer line - missing space before email");
  }
  const std::size_t close = line.find_first_of("<>", open + 1);
  if (close == std::string_view::npos || line[close] != '>') {
    return Malformed("badEmail", "invalid author/committer line - bad email");
  }
  if (!line.substr(close + 1).starts_with(' ')) {
    return Malformed("missingSpaceBeforeDate",
                     "invalid author/committer line - missing space before date");
  }
  return CheckDate(line.substr(close + 2));
}

Status TakeIdentity(std::string_view& rest) {
  const std::optional<std::string_view> line = TakeLine(rest);
  return CheckIdentity(line.value_or(""));
}

}  // namespace

Status CheckCommit(ObjectFormat format, std::string_view content, CheckedObject& checked) {
  QUORATE_TRY(CheckHeaderEnd(content));
  std::string_view rest = content;
  if (!TakePrefix(rest, "tree ")) {
    return Malformed("missingTree", "invalid format - expected 'tree' line");
  }
  const std::optional<ObjectId> tree = TakeId(format, rest);
  if (!tree) {
    return Malformed("badTreeSha1", "invalid 'tree' line format - bad sha1");
  }
  checked.references.push_back({*tree, ObjectType::kTree});
  while (TakePrefix(rest, "parent ")) {
    const std::optional<ObjectId> parent = TakeId(format, rest);
    if (!parent) {
      return Malformed("badParentSha1", "invalid 'parent' line format - bad sha1");
    }
    checked.references.push_back({*parent, ObjectType::kCommit});
  }
  if (!TakePrefix(rest, "author ")) {
    return Malformed("missingAuthor", "invalid format - expected 'author' line");
  }
  QUORATE_TRY(TakeIdentity(rest));
  if (rest.starts_with("author ")) {
    return Malformed("multipleAuthors", "invalid format - multiple 'author' lines");
  }
  if (!TakePrefix(rest, "committer ")) {
    return Malformed("missingCommitter", "invalid format - expected 'committer' line");
  }
  QUORATE_TRY(TakeIdentity(rest));
  if (content.find('\0') != std::string_view::npos) {
    return Malformed("nulInCommit", "NUL byte in the commit object body");
  }
  return Ok();
}

Status CheckTag(ObjectFormat format, std::string_view content, CheckedObject& checked) {
  QUORATE_TRY(CheckHeaderEnd(content));
  std::string_view rest = content;
  if (!TakePrefix(rest, "object ")) {
    return Malformed("missingObject", "invalid format - expected 'object' line");
  }
  const std::optional<ObjectId> target = TakeId(format, rest);
  if (!target) {
    return Malformed("badObjectSha1", "invalid 'object' line format - bad sha1");
  }
  if (!TakePrefix(rest, "type ")) {
    return Malformed("missingTypeEntry", "invalid format - expected 'type' line");
  }
  const std::optional<ObjectType> type = ParseTypeName(TakeLine(rest).value_or(""));
  if (!type) {
    return Malformed("badType", "invalid 'type' value");
  }
  checked.references.push_back({*target, *type});
  if (!TakePrefix(rest, "tag ")) {
    return Malformed("missingTagEntry", "invalid format - expected 'tag' line");
  }
  if (!TakeLine(rest)) {
    return Malformed("missingTag", "invalid format - unexpected end after 'type' line");
  }
  // Old tags have no tagger.
  return TakePrefix(rest, "tagger ") ? TakeIdentity(rest) : Ok();
}

std::int64_t CommitDate(std::string_view content) {
  // Neither a name nor an address holds a line's end or another '>'.
  const std::size_t line = content.find("\ncommitter ");
  const std::size_t date = content.find("> ", line) + 2;
  std::int64_t seconds = 0;
  std::from_chars(content.data() + date, content.data() + content.size(), seconds);
  return seconds;
}

}  // namespace quorate::git::internal
