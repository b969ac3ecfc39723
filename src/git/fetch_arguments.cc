#include "git/fetch_arguments.h"

#include "git/pkt_line.h"

namespace quorate::git {
namespace {

// Adds the id of `line`, which is `prefix` and an id, to `ids`.
bool TakeId(ObjectFormat format, std::string_view line, std::string_view prefix,
            std::vector<ObjectId>& ids) {
  if (!line.starts_with(prefix)) {
    return false;
  }
  const std::optional<ObjectId> id = ObjectId::FromHex(format, line.substr(prefix.size()));
  if (!id) {
    return false;
  }
  ids.push_back(*id);
  return true;
}

bool TakeArgument(ObjectFormat format, std::string_view line, FetchArguments& arguments) {
  if (line == "done") {
    arguments.done = true;
  } else if (line == "no-progress") {
    arguments.no_progress = true;
  } else if (line == "include-tag") {
    arguments.include_tag = true;
  } else if (line == "thin-pack" || line == "ofs-delta") {
    // They permit; a pack of whole objects makes no use of it.
  } else {
    return TakeId(format, line, "have ", arguments.haves) ||
           TakeId(format, line, "want ", arguments.wants);
  }
  return true;
}

}  // namespace

std::optional<FetchArguments> ParseFetchArguments(ObjectFormat format, std::string_view bytes) {
  FetchArguments arguments;
  for (;;) {
    const Result<std::optional<Packet>> packet = TakePacket(bytes);
    if (!packet || !packet->has_value()) {
      return std::nullopt;
    }
    if ((*packet)->kind == Packet::Kind::kFlush) {
      break;
    }
    if ((*packet)->kind != Packet::Kind::kData ||
        !TakeArgument(format, WithoutNewline((*packet)->payload), arguments)) {
      return std::nullopt;
    }
  }
  if (!bytes.empty()) {
    return std::nullopt;
  }
  return arguments;
}

}  // namespace quorate::git
