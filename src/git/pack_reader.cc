#include "git/pack_reader.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "git/internal/delta.h"
#include "git/internal/pack_format.h"
#include "git/internal/zlib.h"

namespace quorate::git {
namespace {

using internal::kOffsetDelta;
using internal::kPackHeaderSize;
using internal::kReferenceDelta;

Error Bad(std::string what) {
  return {Code::kInvalidArgument, "bad pack: " + std::move(what)};
}

struct Entry {
  std::uint64_t offset = 0;
  std::optional<ObjectType> type;        // Of a delta: once resolved.
  std::string data;                      // Content; of an unresolved delta its instructions.
  std::optional<std::uint64_t> base_at;  // Offset of a delta's base, or
  std::optional<ObjectId> base_id;       // its name.
  ObjectId id;                           // Once resolved.
};

// What stands at the head of an entry, before the compressed data.
struct EntryHead {
  int kind = 0;
  std::uint64_t size = 0;
};

class Unpacking {
 public:
  Unpacking(ObjectFormat format, std::string_view pack, const PackReadLimits& limits,
            const FindBase& find_base)
      : format_(format), pack_(pack), limits_(limits), find_base_(find_base) {}

  Result<std::vector<UnpackedObject>> Run();

 private:
  using Children = std::vector<std::size_t>;

  Status ReadEntries(std::uint32_t count);
  Result<Entry> ReadEntry();
  Result<EntryHead> TakeHead();
  Result<std::uint64_t> TakeBaseOffset(std::uint64_t entry_offset);
  Result<std::string_view> Take(std::size_t size);

  Status ResolveWithin();
  Status ResolveThin();
  Status Settle(std::size_t index);
  Status SettleDeltas(const Children& children, ObjectType type, std::string_view base);
  Status Spread();
  Error Unresolved() const;

  Status Charge(std::size_t bytes);
  std::size_t room() const { return limits_.memory_bytes_max - used_; }

  const ObjectFormat format_;
  const std::string_view pack_;
  const PackReadLimits limits_;
  const FindBase& find_base_;

  std::string_view body_;  // Without the checksum.
  std::size_t at_ = 0;     // How far it was read.
  std::size_t used_ = 0;   // Memory charged.
  std::vector<Entry> entries_;
  std::map<std::uint64_t, Children> by_offset_;  // Unresolved deltas by their base.
  std::map<ObjectId, Children> by_id_;
  std::set<ObjectId> settled_;
  std::vector<std::size_t> fresh_;  // Settled, but the deltas upon them are not yet.
};

Result<std::vector<UnpackedObject>> Unpacking::Run() {
  const std::size_t checksum_size = RawSize(format_);
  if (pack_.size() < kPackHeaderSize + checksum_size) {
    return Bad("it is cut off");
  }
  const PackHeader header = QUORATE_TRY(ParsePackHeader(pack_));
  if (header.objects > limits_.objects_max) {
    return Error(Code::kResourceExhausted, "pack has too many objects to unpack in memory");
  }
  body_ = pack_.substr(0, pack_.size() - checksum_size);
  QUORATE_TRY(ReadEntries(header.objects));
  if (at_ != body_.size()) {
    return Bad("there are bytes after its last object");
  }
  if (internal::PackChecksum(format_, body_) != pack_.substr(body_.size())) {
    return Bad("its checksum does not match");
  }
  QUORATE_TRY(ResolveWithin());
  QUORATE_TRY(ResolveThin());

  std::vector<UnpackedObject> objects;
  objects.reserve(entries_.size());
  for (Entry& entry : entries_) {
    if (!entry.type) {
      return Unresolved();
    }
    objects.push_back({entry.id, *entry.type, std::move(entry.data)});
  }
  return objects;
}

Status Unpacking::ReadEntries(std::uint32_t count) {
  at_ = kPackHeaderSize;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t offset = at_;
    Result<Entry> entry = ReadEntry();
    if (!entry) {
      return std::move(entry).error().Wrap("bad pack: object at offset " + std::to_string(offset));
    }
    entries_.push_back(*std::move(entry));
  }
  return Ok();
}

Result<Entry> Unpacking::ReadEntry() {
  Entry entry;
  entry.offset = at_;
  const EntryHead head = QUORATE_TRY(TakeHead());
  if (head.kind == kOffsetDelta) {
    entry.base_at = QUORATE_TRY(TakeBaseOffset(entry.offset));
    by_offset_[*entry.base_at].push_back(entries_.size());
  } else if (head.kind == kReferenceDelta) {
    const std::string_view raw = QUORATE_TRY(Take(RawSize(format_)));
    entry.base_id = ObjectId::FromRaw(format_, raw);
    by_id_[*entry.base_id].push_back(entries_.size());
  } else if (head.kind >= 1 && head.kind <= 4) {
    entry.type = static_cast<ObjectType>(head.kind);
  } else {
    return Error(Code::kInvalidArgument, "unknown type " + std::to_string(head.kind));
  }
  if (head.size > room()) {
    return Error(Code::kResourceExhausted, "pack is too large to unpack in memory");
  }
  internal::Inflated inflated = QUORATE_TRY(internal::InflateExactly(body_.substr(at_), head.size));
  at_ += inflated.consumed;
  QUORATE_TRY(Charge(head.size));
  entry.data = std::move(inflated.bytes);
  return entry;
}

// Type in bits 4 to 6 of the first byte, size in its low 4 and 7 of each that follows.
Result<EntryHead> Unpacking::TakeHead() {
  auto byte = static_cast<std::uint8_t>(QUORATE_TRY(Take(1)).front());
  EntryHead head;
  head.kind = (byte >> 4) & 7;
  head.size = byte & 0x0f;
  for (int shift = 4; (byte & 0x80) != 0; shift += 7) {
    constexpr int kShiftMax = 53;  // 60 bits: more than any file has.
    if (shift > kShiftMax) {
      return Error(Code::kInvalidArgument, "its size is not a number");
    }
    byte = static_cast<std::uint8_t>(QUORATE_TRY(Take(1)).front());
    head.size |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
  }
  return head;
}

Result<std::uint64_t> Unpacking::TakeBaseOffset(std::uint64_t entry_offset) {
  auto byte = static_cast<std::uint8_t>(QUORATE_TRY(Take(1)).front());
  std::uint64_t distance = byte & 0x7f;
  while ((byte & 0x80) != 0 && distance <= entry_offset) {
    byte = static_cast<std::uint8_t>(QUORATE_TRY(Take(1)).front());
    distance = ((distance + 1) << 7) | (byte & 0x7f);
  }
  if (distance == 0 || distance > entry_offset) {
    return Error(Code::kInvalidArgument, "its base lies outside the pack");
  }
  return entry_offset - distance;
}

Result<std::string_view> Unpacking::Take(std::size_t size) {
  if (size > body_.size() - at_) {
    return Error(Code::kInvalidArgument, "it is cut off");
  }
  at_ += size;
  return body_.substr(at_ - size, size);
}

Status Unpacking::ResolveWithin() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].base_at && !entries_[i].base_id) {
      QUORATE_TRY(Settle(i));
      QUORATE_TRY(Spread());
    }
  }
  return Ok();
}

// Deltas whose base is not in the pack. A base that is missing may still turn up as the result of
// another delta, so absence is no error yet.
Status Unpacking::ResolveThin() {
  std::vector<ObjectId> bases;
  for (const auto& item : by_id_) {
    bases.push_back(item.first);
  }
  for (const ObjectId& id : bases) {
    if (!by_id_.contains(id)) {
      continue;  // Resolved meanwhile.
    }
    const Result<Object> base = find_base_(id, room());
    if (!base && base.error().code() == Code::kNotFound) {
      continue;
    }
    if (!base) {
      return base.error();
    }
    QUORATE_TRY(Charge(base->content.size()));
    const Children children = std::move(by_id_.extract(id).mapped());
    QUORATE_TRY(SettleDeltas(children, base->type, base->content));
    used_ -= base->content.size();
    QUORATE_TRY(Spread());
  }
  return Ok();
}

// `entries_[index]` has its content: gives it its name.
Status Unpacking::Settle(std::size_t index) {
  Entry& entry = entries_[index];
  entry.id = QUORATE_TRY(HashObject(format_, *entry.type, entry.data));
  if (!settled_.insert(entry.id).second) {
    return Bad("the object " + entry.id.ToHex() + " appears twice");
  }
  fresh_.push_back(index);
  return Ok();
}

Status Unpacking::SettleDeltas(const Children& children, ObjectType type, std::string_view base) {
  for (const std::size_t child : children) {
    Entry& entry = entries_[child];
    Result<std::string> target = internal::ApplyDelta(base, entry.data, room());
    if (!target) {
      return std::move(target).error().Wrap("bad pack: object at offset " +
                                            std::to_string(entry.offset));
    }
    QUORATE_TRY(Charge(target->size()));
    used_ -= entry.data.size();
    entry.data = *std::move(target);
    entry.type = type;
    QUORATE_TRY(Settle(child));
  }
  return Ok();
}

// Settles all deltas upon fresh objects, and those upon these, however deep the chains are.
Status Unpacking::Spread() {
  while (!fresh_.empty()) {
    const Entry& base = entries_[fresh_.back()];
    fresh_.pop_back();
    for (const Children& children :
         {by_offset_.contains(base.offset) ? std::move(by_offset_.extract(base.offset).mapped())
                                           : Children{},
          by_id_.contains(base.id) ? std::move(by_id_.extract(base.id).mapped()) : Children{}}) {
      QUORATE_TRY(SettleDeltas(children, *base.type, base.data));
    }
  }
  return Ok();
}

Error Unpacking::Unresolved() const {
  if (by_id_.empty()) {
    return Bad("the base of a delta is not an object of the pack");
  }
  return Bad("unresolved delta: its base " + by_id_.begin()->first.ToHex() + " is missing");
}

Status Unpacking::Charge(std::size_t bytes) {
  if (bytes > room()) {
    return Error(Code::kResourceExhausted, "pack is too large to unpack in memory");
  }
  used_ += bytes;
  return Ok();
}

}  // namespace

Result<PackHeader> ParsePackHeader(std::string_view bytes) {
  if (bytes.size() < kPackHeaderSize || !bytes.starts_with(internal::kPackSignature)) {
    return Bad("it does not begin as a pack does");
  }
  PackHeader header;
  header.version = ReadBigEndian32(bytes.substr(4));
  header.objects = ReadBigEndian32(bytes.substr(8));
  if (header.version != 2 && header.version != 3) {
    return Bad("version " + std::to_string(header.version) + " is unknown");
  }
  return header;
}

Result<std::vector<UnpackedObject>> ReadPack(ObjectFormat format, std::string_view pack,
                                             const PackReadLimits& limits,
                                             const FindBase& find_base) {
  return Unpacking(format, pack, limits, find_base).Run();
}

}  // namespace quorate::git
