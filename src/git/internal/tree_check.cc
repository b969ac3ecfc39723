#include "git/internal/tree_check.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace quorate::git::internal {
namespace {

constexpr std::uint32_t kTypeMask = 0170000;
constexpr std::uint32_t kDirectory = 0040000;
constexpr std::uint32_t kRegular = 0100000;
constexpr std::uint32_t kLink = 0120000;

Error Malformed(std::string_view msgid, std::string_view what) {
  return {Code::kInvalidArgument, std::string(msgid) + ": " + std::string(what)};
}

bool IsDirectory(const TreeEntry& entry) {
  return (entry.mode & kTypeMask) == kDirectory;
}

char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Code points that HFS+ ignores in names: U+200C-F, U+202A-E, U+206A-F, U+FEFF; all 3 bytes long.
bool StartsWithIgnored(std::string_view text) {
  if (text.size() < 3) {
    return false;
  }
  const auto third = static_cast<unsigned char>(text[2]);
  if (text.starts_with("\xe2\x80")) {
    return (third >= 0x8c && third <= 0x8f) || (third >= 0xaa && third <= 0xae);
  }
  if (text.starts_with("\xe2\x81")) {
    return third >= 0xaa && third <= 0xaf;
  }
  return text.starts_with("\xef\xbb\xbf");
}

// As a file system sees a name that ignores case and HFS+'s invisible characters.
std::string Fold(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  while (!name.empty()) {
    if (StartsWithIgnored(name)) {
      name.remove_prefix(3);
      continue;
    }
    folded += ToLower(name.front());
    name.remove_prefix(1);
  }
  return folded;
}

// Whether NTFS takes the folded name for .git: the name or its short form, up to an alternate
// stream or a backslash, with dots and spaces at the end.
bool IsNtfsDotGit(std::string_view name) {
  if (!name.starts_with(".git") && !name.starts_with("git~1")) {
    return false;
  }
  name.remove_prefix(name.front() == '.' ? 4 : 5);
  const std::size_t end = name.find_first_not_of(" .");
  return end == std::string_view::npos || name[end] == '\\' || name[end] == ':';
}

bool IsDotGit(std::string_view folded) {
  if (folded == ".git") {
    return true;
  }
  // Every part that a backslash begins may be one.
  while (true) {
    if (IsNtfsDotGit(folded)) {
      return true;
    }
    const std::size_t backslash = folded.find('\\');
    if (backslash == std::string_view::npos) {
      return false;
    }
    folded.remove_prefix(backslash + 1);
  }
}

// More than Git's own rule: whatever it looks into is among these. NTFS makes short names with a
// tilde and a digit.
bool IsSpecial(std::string_view folded) {
  if (folded.find("gitmodules") != std::string_view::npos ||
      folded.find("gitattributes") != std::string_view::npos) {
    return true;
  }
  const std::size_t tilde = folded.find('~');
  return tilde != std::string_view::npos && tilde + 1 < folded.size() && folded[tilde + 1] >= '0' &&
         folded[tilde + 1] <= '9';
}

Status CheckName(const TreeEntry& entry, CheckedObject& checked) {
  const std::string_view name = entry.name;
  if (name.find('/') != std::string_view::npos) {
    return Malformed("fullPathname", "contains full pathnames");
  }
  if (name == ".") {
    return Malformed("hasDot", "contains '.'");
  }
  if (name == "..") {
    return Malformed("hasDotdot", "contains '..'");
  }
  // Only names with one of these can fold to something special.
  if (name.find_first_of("gG~\\") == std::string_view::npos) {
    return Ok();
  }
  const std::string folded = Fold(name);
  if (IsDotGit(folded)) {
    return Malformed("hasDotgit", "contains '.git'");
  }
  if (IsSpecial(folded) && !IsDirectory(entry)) {
    checked.special_files.push_back(entry.id);
    checked.special_link |= (entry.mode & kTypeMask) == kLink;
  }
  return Ok();
}

// Entries are sorted by name, a directory's taken with "/" at its end, and no name occurs twice.
class OrderCheck {
 public:
  Status Next(const TreeEntry& entry) {
    if (last_) {
      QUORATE_TRY(CompareWithLast(entry));
    }
    // A file and a directory of one name are not neighbours if names lie between them that begin
    // with it: "a", "a-b", "a/". Those it may yet meet are the prefixes of the current name.
    while (!files_.empty() && !entry.name.starts_with(files_.back())) {
      files_.pop_back();
    }
    if (!files_.empty() && files_.back() == entry.name) {
      return Duplicate();
    }
    if (!IsDirectory(entry)) {
      files_.push_back(entry.name);
    }
    last_ = entry;
    return Ok();
  }

 private:
  static Error Duplicate() {
    return Malformed("duplicateEntries", "contains duplicate file entries");
  }

  Status CompareWithLast(const TreeEntry& entry) const {
    if (last_->name == entry.name) {
      return Duplicate();
    }
    const std::size_t common = std::min(last_->name.size(), entry.name.size());
    const int order = last_->name.compare(0, common, entry.name, 0, common);
    if (order > 0 || (order == 0 && After(*last_, common) > After(entry, common))) {
      return Malformed("treeNotSorted", "not properly sorted");
    }
    return Ok();
  }

  static unsigned char After(const TreeEntry& entry, std::size_t at) {
    if (at < entry.name.size()) {
      return static_cast<unsigned char>(entry.name[at]);
    }
    return IsDirectory(entry) ? '/' : '\0';
  }

  std::optional<TreeEntry> last_;
  std::vector<std::string_view> files_;
};

// Octal digits up to the space.
Result<std::uint32_t> TakeMode(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  constexpr std::size_t kDigitsMax = 8;
  if (space == std::string_view::npos || space == 0 || space > kDigitsMax) {
    return Malformed("badTree", "malformed mode in tree entry");
  }
  if (rest.front() == '0') {
    return Malformed("zeroPaddedFilemode", "contains zero-padded file modes");
  }
  std::uint32_t mode = 0;
  for (const char c : rest.substr(0, space)) {
    if (c < '0' || c > '7') {
      return Malformed("badTree", "malformed mode in tree entry");
    }
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  rest.remove_prefix(space + 1);
  return mode;
}

}  // namespace

Result<TreeEntry> TakeTreeEntry(ObjectFormat format, std::string_view& rest) {
  TreeEntry entry;
  entry.mode = QUORATE_TRY(TakeMode(rest));
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos || rest.size() - end - 1 < RawSize(format)) {
    return Malformed("badTree", "too-short tree object");
  }
  if (end == 0) {
    return Malformed("emptyName", "contains empty pathname");
  }
  entry.name = rest.substr(0, end);
  entry.id = *ObjectId::FromRaw(format, rest.substr(end + 1, RawSize(format)));
  rest.remove_prefix(end + 1 + RawSize(format));
  return entry;
}

// Unknown kinds of modes count as submodules, as in Git.
std::optional<Reference> ReferenceOf(const TreeEntry& entry) {
  switch (entry.mode & kTypeMask) {
    case kDirectory:
      return Reference{entry.id, ObjectType::kTree};
    case kRegular:
    case kLink:
      return Reference{entry.id, ObjectType::kBlob};
    default:
      return std::nullopt;
  }
}

Status CheckTree(ObjectFormat format, std::string_view content, CheckedObject& checked) {
  OrderCheck order;
  std::string_view rest = content;
  while (!rest.empty()) {
    const TreeEntry entry = QUORATE_TRY(TakeTreeEntry(format, rest));
    if (entry.id.IsZero()) {
      return Malformed("nullSha1", "contains entries pointing to null sha1");
    }
    QUORATE_TRY(CheckName(entry, checked));
    QUORATE_TRY(order.Next(entry));
    if (const std::optional<Reference> reference = ReferenceOf(entry)) {
      checked.references.push_back(*reference);
    }
  }
  return Ok();
}

}  // namespace quorate::git::internal
