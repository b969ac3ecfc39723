#include "git/internal/delta.h"

#include <cstdint>
#include <optional>

namespace quorate::git::internal {
namespace {

Error Bad(std::string_view what) {
  return {Code::kInvalidArgument, "bad delta: " + std::string(what)};
}

// Seven bits a byte, lowest first.
std::optional<std::uint64_t> TakeSize(std::string_view& rest) {
  std::uint64_t size = 0;
  for (int shift = 0; shift < 63 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    size |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      return size;
    }
  }
  return std::nullopt;
}

struct Copy {
  std::size_t offset = 0;
  std::size_t size = 0;
};

// The low bits of `opcode` say which bytes of offset (4) and size (3) follow.
std::optional<Copy> TakeCopy(std::uint8_t opcode, std::string_view& rest) {
  Copy copy;
  for (unsigned int i = 0; i < 7; ++i) {
    if ((opcode & (1U << i)) == 0) {
      continue;
    }
    if (rest.empty()) {
      return std::nullopt;
    }
    const std::size_t byte = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    if (i < 4) {
      copy.offset |= byte << (8 * i);
    } else {
      copy.size |= byte << (8 * (i - 4));
    }
  }
  if (copy.size == 0) {
    copy.size = 0x10000;
  }
  return copy;
}

}  // namespace

Result<std::string> ApplyDelta(std::string_view base, std::string_view delta,
                               std::size_t size_max) {
  const std::optional<std::uint64_t> base_size = TakeSize(delta);
  const std::optional<std::uint64_t> target_size = TakeSize(delta);
  if (!base_size || !target_size) {
    return Bad("its sizes are cut off");
  }
  if (*base_size != base.size()) {
    return Bad("it is for a base of another size");
  }
  if (*target_size > size_max) {
    return Error(Code::kResourceExhausted, "a delta's result is too large");
  }
  std::string target;
  target.reserve(*target_size);
  while (!delta.empty()) {
    const auto opcode = static_cast<std::uint8_t>(delta.front());
    delta.remove_prefix(1);
    std::string_view piece;
    if ((opcode & 0x80) != 0) {
      const std::optional<Copy> copy = TakeCopy(opcode, delta);
      if (!copy || copy->offset > base.size() || copy->size > base.size() - copy->offset) {
        return Bad("it copies from outside its base");
      }
      piece = base.substr(copy->offset, copy->size);
    } else {
      if (opcode == 0 || opcode > delta.size()) {
        return Bad(opcode == 0 ? "it has a reserved instruction" : "it is cut off");
      }
      piece = delta.substr(0, opcode);
      delta.remove_prefix(opcode);
    }
    if (piece.size() > *target_size - target.size()) {
      return Bad("its result is larger than declared");
    }
    target += piece;
  }
  if (target.size() != *target_size) {
    return Bad("its result is smaller than declared");
  }
  return target;
}

}  // namespace quorate::git::internal
