#include "git/fetch_request.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "git/protocol.h"

namespace quorate::git {

namespace {

constexpr std::size_t kHeadBytesMax = 64 << 10;
constexpr std::size_t kArgumentBytesMax = 16 << 20;

Error MismatchedFormat(ObjectFormat server, ObjectFormat client) {
  return Error(Code::kInvalidArgument, "mismatched object format: server " +
                                           std::string(FormatName(server)) + "; client " +
                                           std::string(FormatName(client)));
}

Result<ObjectFormat> ParseClientFormat(std::string_view name) {
  const std::optional<ObjectFormat> format = ParseFormatName(name);
  if (!format) {
    return Error(Code::kInvalidArgument, "unknown object format '" + Printable(name) + "'");
  }
  return *format;
}

Error UnknownCapability(std::string_view line) {
  return Error(Code::kInvalidArgument, "unknown capability '" + Printable(line) + "'");
}

}  // namespace

Status V2RequestParser::Feed(std::string_view& input) {
  while (!complete_) {
    const std::string_view before = input;
    const std::optional<Packet> packet = QUORATE_TRY(decoder_.Next(input));
    bytes_.append(before.substr(0, before.size() - input.size()));
    if (bytes_.size() > kHeadBytesMax) {
      return Error(Code::kResourceExhausted, "too long a list of capabilities");
    }
    if (!packet) {
      return Ok();
    }
    QUORATE_TRY(OnPacket(*packet));
  }
  return Ok();
}

Status V2RequestParser::Finish() {
  if (bytes_.empty()) {
    complete_ = true;
  }
  if (!complete_) {
    return Error(Code::kInvalidArgument, "the request ends within its capabilities");
  }
  return Ok();
}

Status V2RequestParser::OnPacket(const Packet& packet) {
  switch (packet.kind) {
    case Packet::Kind::kData:
      seen_line_ = true;
      return OnLine(WithoutNewline(packet.payload));
    case Packet::Kind::kDelimiter:
      head_.has_arguments = true;
      return OnEnd();
    case Packet::Kind::kFlush:
      if (!seen_line_) {
        complete_ = true;
        return Ok();
      }
      return OnEnd();
    case Packet::Kind::kResponseEnd:
      break;
  }
  return Error(Code::kInvalidArgument, "unexpected response end packet");
}

Status V2RequestParser::OnLine(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return UnknownCapability(line);
  }
  const std::string_view key = line.substr(0, equals);
  const std::string_view value = line.substr(equals + 1);
  if (key == "command") {
    return OnCommand(value);
  }
  if (key == "agent") {
    head_.agent = SanitizedToken(value);
  } else if (key == "session-id") {
    head_.session_id = SanitizedToken(value);
  } else if (key == "server-option") {
    head_.server_options.emplace_back(value);
  } else if (key == "object-format") {
    client_format_ = QUORATE_TRY(ParseClientFormat(value));
  } else {
    return UnknownCapability(line);
  }
  return Ok();
}

Status V2RequestParser::OnCommand(std::string_view name) {
  if (head_.command != V2Command::kNone) {
    return Error(Code::kInvalidArgument,
                 "command '" + Printable(name) + "' requested after another command");
  }
  if (name == "ls-refs") {
    head_.command = V2Command::kLsRefs;
  } else if (name == "fetch") {
    head_.command = V2Command::kFetch;
  } else if (name == "object-info") {
    head_.command = V2Command::kObjectInfo;
  } else {
    return Error(Code::kInvalidArgument, "invalid command '" + Printable(name) + "'");
  }
  return Ok();
}

Status V2RequestParser::OnEnd() {
  if (head_.command == V2Command::kNone) {
    return Error(Code::kInvalidArgument, "no command requested");
  }
  if (client_format_ != format_) {
    return MismatchedFormat(format_, client_format_);
  }
  complete_ = true;
  return Ok();
}

std::vector<std::string> MergedPrefixes(const LsRefsRequest& request) {
  if (request.prefixes.empty()) {
    return {""};
  }
  std::vector<std::string> sorted = request.prefixes;
  std::sort(sorted.begin(), sorted.end());
  // What a prefix covers follows it directly.
  std::vector<std::string> merged;
  for (std::string& prefix : sorted) {
    if (merged.empty() || !prefix.starts_with(merged.back())) {
      merged.push_back(std::move(prefix));
    }
  }
  return merged;
}

Status LsRefsParser::Feed(std::string_view& input) {
  while (!complete_) {
    const std::size_t before = input.size();
    const std::optional<Packet> packet = QUORATE_TRY(decoder_.Next(input));
    argument_bytes_ += before - input.size();
    if (argument_bytes_ > kArgumentBytesMax) {
      return Error(Code::kResourceExhausted, "too many arguments of ls-refs");
    }
    if (!packet) {
      return Ok();
    }
    switch (packet->kind) {
      case Packet::Kind::kData:
        QUORATE_TRY(OnArgument(WithoutNewline(packet->payload)));
        break;
      case Packet::Kind::kFlush:
        complete_ = true;
        break;
      case Packet::Kind::kDelimiter:
      case Packet::Kind::kResponseEnd:
        return Error(Code::kInvalidArgument, "expected flush after ls-refs arguments");
    }
  }
  return Ok();
}

Status LsRefsParser::Finish() const {
  if (!complete_) {
    return Error(Code::kInvalidArgument, "the request ends within its arguments");
  }
  return Ok();
}

Status LsRefsParser::OnArgument(std::string_view argument) {
  constexpr std::string_view kPrefix = "ref-prefix ";
  if (argument == "peel") {
    request_.peel = true;
  } else if (argument == "symrefs") {
    request_.symrefs = true;
  } else if (argument == "unborn") {
    request_.unborn = true;
  } else if (!argument.starts_with(kPrefix)) {
    return Error(Code::kInvalidArgument, "unexpected line: '" + Printable(argument) + "'");
  } else if (request_.prefixes.size() >= kRefPrefixesMax) {
    too_many_prefixes_ = true;
    request_.prefixes.clear();
  } else if (!too_many_prefixes_) {
    request_.prefixes.emplace_back(argument.substr(kPrefix.size()));
  }
  return Ok();
}

// The first line is "want" SP id *(SP capability).
Status UploadRequestProbe::Look(std::string_view begin) {
  const std::optional<Packet> packet = QUORATE_TRY(TakePacket(begin));
  if (!packet) {
    return Ok();
  }
  if (packet->kind == Packet::Kind::kFlush) {
    kind_ = Kind::kFlushOnly;
    return Ok();
  }
  kind_ = Kind::kNegotiation;
  std::string_view words = WithoutNewline(packet->payload);
  while (!words.empty()) {
    constexpr std::string_view kFormat = "object-format=";
    constexpr std::string_view kSession = "session-id=";
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (word.starts_with(kSession)) {
      session_id_ = SanitizedToken(word.substr(kSession.size()));
    } else if (word.starts_with(kFormat)) {
      const ObjectFormat client = QUORATE_TRY(ParseClientFormat(word.substr(kFormat.size())));
      if (client != format_) {
        return MismatchedFormat(format_, client);
      }
    }
  }
  return Ok();
}

}  // namespace quorate::git
