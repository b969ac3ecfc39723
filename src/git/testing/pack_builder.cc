#include "git/testing/pack_builder.h"

#include <algorithm>

#include "base/check.h"
#include "git/internal/pack_format.h"
#include "git/internal/zlib.h"

namespace quorate::git {
namespace {

constexpr int kLevel = 1;

// Seven bits a byte, lowest first.
std::string DeltaSize(std::uint64_t size) {
  std::string bytes;
  do {
    const std::uint64_t more = size >= 0x80 ? 0x80 : 0;
    bytes += static_cast<char>((size & 0x7f) | more);
    size >>= 7;
  } while (size > 0);
  return bytes;
}

void AppendCopies(std::string& delta, std::size_t offset, std::size_t size) {
  constexpr std::size_t kCopyMax = 0xffff;
  while (size > 0) {
    const std::size_t piece = std::min(size, kCopyMax);
    delta += '\xbf';  // All four bytes of the offset, two of the size.
    for (int i = 0; i < 4; ++i) {
      delta += static_cast<char>((offset >> (8 * i)) & 0xff);
    }
    delta += static_cast<char>(piece & 0xff);
    delta += static_cast<char>(piece >> 8);
    offset += piece;
    size -= piece;
  }
}

void AppendLiterals(std::string& delta, std::string_view bytes) {
  constexpr std::size_t kLiteralMax = 0x7f;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kLiteralMax);
    delta += static_cast<char>(piece.size());
    delta += piece;
    bytes.remove_prefix(piece.size());
  }
}

std::string DistanceBytes(std::uint64_t distance) {
  std::string bytes(1, static_cast<char>(distance & 0x7f));
  while ((distance >>= 7) > 0) {
    --distance;
    bytes.insert(bytes.begin(), static_cast<char>(0x80 | (distance & 0x7f)));
  }
  return bytes;
}

}  // namespace

std::string TreeContent(const std::vector<TreeItem>& items) {
  std::string content;
  for (const TreeItem& item : items) {
    content += item.mode + " " + item.name;
    content += '\0';
    content += item.id.raw();
  }
  return content;
}

std::string CommitContent(const CommitFields& fields) {
  std::string content = "tree " + fields.tree.ToHex() + "\n";
  for (const ObjectId& parent : fields.parents) {
    content += "parent " + parent.ToHex() + "\n";
  }
  content += "author " + fields.identity + "\ncommitter " + fields.identity + "\n";
  return content + "\n" + fields.message;
}

std::string TagContent(const TagFields& fields) {
  return "object " + fields.target.ToHex() + "\ntype " + std::string(TypeName(fields.type)) +
         "\ntag " + fields.name + "\ntagger " + fields.identity + "\n\na tag\n";
}

ObjectId IdOf(ObjectFormat format, ObjectType type, std::string_view content) {
  return HashObject(format, type, content).value();
}

std::string MakeDelta(std::string_view base, std::string_view target) {
  const std::size_t most = std::min(base.size(), target.size());
  std::size_t head = 0;
  while (head < most && base[head] == target[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail < most - head && base[base.size() - tail - 1] == target[target.size() - tail - 1]) {
    ++tail;
  }
  std::string delta = DeltaSize(base.size()) + DeltaSize(target.size());
  AppendCopies(delta, 0, head);
  AppendLiterals(delta, target.substr(head, target.size() - head - tail));
  AppendCopies(delta, base.size() - tail, tail);
  return delta;
}

ObjectId PackBuilder::Add(ObjectType type, std::string_view content) {
  const ObjectId id = IdOf(format_, type, content);
  Remember(id, type, content);
  Raw(WholeEntry(type, content));
  return id;
}

ObjectId PackBuilder::OffsetDelta(const ObjectId& base, std::string_view content) {
  const auto found = added_.find(base);
  QUORATE_CHECK(found != added_.end());
  const Added from = found->second;
  const std::string delta = MakeDelta(from.content, content);
  const ObjectId id = IdOf(format_, from.type, content);
  const std::string distance = DistanceBytes(offset() - from.offset);
  Remember(id, from.type, content);
  Raw(EntryHead(internal::kOffsetDelta, delta.size()) + distance +
      internal::Deflate(delta, kLevel));
  return id;
}

ObjectId PackBuilder::ReferenceDelta(ObjectType type, std::string_view base_content,
                                     std::string_view content) {
  const ObjectId base = IdOf(format_, type, base_content);
  const std::string delta = MakeDelta(base_content, content);
  const ObjectId id = IdOf(format_, type, content);
  Remember(id, type, content);
  Raw(EntryHead(internal::kReferenceDelta, delta.size()) + std::string(base.raw()) +
      internal::Deflate(delta, kLevel));
  return id;
}

void PackBuilder::Raw(std::string_view entry) {
  entries_ += entry;
  ++count_;
}

void PackBuilder::Remember(const ObjectId& id, ObjectType type, std::string_view content) {
  added_.insert_or_assign(id, Added{offset(), type, std::string(content)});
}

SmallPush MakeSmallPush(ObjectFormat format, std::string_view text,
                        const std::vector<ObjectId>& parents) {
  PackBuilder builder(format);
  SmallPush push;
  push.blob = builder.Blob(text);
  push.tree = builder.Tree({{"100644", "file", push.blob}});
  push.commit = builder.Commit({.tree = push.tree, .parents = parents});
  push.pack = builder.Finish();
  return push;
}

}  // namespace quorate::git
