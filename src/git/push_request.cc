#include "git/push_request.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "git/protocol.h"

namespace quorate::git {

namespace {

constexpr std::string_view kShallow = "shallow ";

Error Malformed(std::string_view expected, std::string_view line) {
  return Error(Code::kInvalidArgument, "protocol error: expected " + std::string(expected) +
                                           ", got '" + Printable(line) + "'");
}

Error TooMuch(std::string_view what) {
  return Error(Code::kResourceExhausted, "too " + std::string(what) + " in one push");
}

// Takes "<id> " from the front of `line`.
std::optional<ObjectId> TakeId(ObjectFormat format, std::string_view& line) {
  const std::size_t size = HexSize(format);
  if (line.size() <= size || line[size] != ' ') {
    return std::nullopt;
  }
  std::optional<ObjectId> id = ObjectId::FromHex(format, line.substr(0, size));
  line.remove_prefix(size + 1);
  return id;
}

}  // namespace

bool PushRequest::expects_pack() const {
  return std::any_of(commands.begin(), commands.end(),
                     [](const PushCommand& command) { return !command.deletes(); });
}

PushRequestParser::PushRequestParser(ObjectFormat format, PushRequestLimits limits)
    : format_(format), limits_(limits) {
}

Status PushRequestParser::Feed(std::string_view& input) {
  while (!complete()) {
    const std::size_t before = input.size();
    const std::optional<Packet> packet = QUORATE_TRY(decoder_.Next(input));
    head_bytes_ += before - input.size();
    if (head_bytes_ > limits_.head_bytes_max) {
      return TooMuch("many bytes of commands");
    }
    if (!packet) {
      return Ok();
    }
    QUORATE_TRY(OnPacket(*packet));
  }
  return Ok();
}

Status PushRequestParser::Finish() const {
  if (!complete()) {
    return Error(Code::kInvalidArgument, "the push request ends within its commands");
  }
  return Ok();
}

Status PushRequestParser::OnPacket(const Packet& packet) {
  switch (packet.kind) {
    case Packet::Kind::kData:
      return state_ == State::kCommands ? OnHeadLine(WithoutNewline(packet.payload))
                                        : OnPushOption(WithoutNewline(packet.payload));
    case Packet::Kind::kFlush: {
      const bool options_follow = state_ == State::kCommands && !request_.commands.empty() &&
                                  request_.capabilities.push_options;
      state_ = options_follow ? State::kPushOptions : State::kComplete;
      refs_seen_.clear();
      return Ok();
    }
    case Packet::Kind::kDelimiter:
    case Packet::Kind::kResponseEnd:
      break;
  }
  return Error(Code::kInvalidArgument, "protocol error: unexpected special packet in a push");
}

Status PushRequestParser::OnHeadLine(std::string_view line) {
  // As Git does it: a line is a C string, and behind its NUL are capabilities.
  const std::size_t text_size = std::min(line.find('\0'), line.size());
  const std::string_view text = line.substr(0, text_size);
  if (text.starts_with(kShallow)) {
    return OnShallow(text.substr(kShallow.size()));
  }
  if (text_size < line.size()) {
    QUORATE_TRY(OnCapabilities(line.substr(text_size + 1)));
  }
  if (text == "push-cert") {
    return Error(Code::kInvalidArgument, "signed pushes are not supported");
  }
  return OnCommand(text);
}

Status PushRequestParser::OnShallow(std::string_view id) {
  const std::optional<ObjectId> parsed = ObjectId::FromHex(format_, id);
  if (!parsed) {
    return Malformed("shallow id", id);
  }
  if (request_.shallow.size() >= limits_.commands_max) {
    return TooMuch("many shallow lines");
  }
  request_.shallow.push_back(*parsed);
  return Ok();
}

Status PushRequestParser::OnCommand(std::string_view line) {
  std::string_view rest = line;
  const std::optional<ObjectId> old_id = TakeId(format_, rest);
  if (!old_id) {
    return Malformed("old/new/ref", line);
  }
  const std::optional<ObjectId> new_id = TakeId(format_, rest);
  if (!new_id) {
    return Malformed("old/new/ref", line);
  }
  if (rest.size() > limits_.ref_name_bytes_max) {
    return Error(Code::kResourceExhausted, "ref name of " + std::to_string(rest.size()) +
                                               " bytes: '" + Printable(rest, 40) + "...'");
  }
  if (request_.commands.size() >= limits_.commands_max) {
    return TooMuch("many commands");
  }
  PushCommand command{.old_id = *old_id, .new_id = *new_id, .ref = std::string(rest)};
  command.repeats = !refs_seen_.insert(command.ref).second;
  request_.commands.push_back(std::move(command));
  return Ok();
}

Status PushRequestParser::OnCapabilities(std::string_view list) {
  PushCapabilities& known = request_.capabilities;
  std::string_view format_name = FormatName(ObjectFormat::kSha1);  // What a silent client means.
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    const std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string_view key = item.substr(0, equals);
    const std::string_view value = item.substr(std::min(equals + 1, item.size()));
    known.report_status |= key == "report-status" || key == "report-status-v2";
    known.report_status_v2 |= key == "report-status-v2";
    known.side_band_64k |= key == "side-band-64k";
    known.atomic |= key == "atomic";
    known.delete_refs |= key == "delete-refs";
    known.ofs_delta |= key == "ofs-delta";
    known.quiet |= key == "quiet";
    known.push_options |= key == "push-options";
    if (key == "agent") {
      known.agent = SanitizedToken(value);
    } else if (key == "session-id") {
      known.session_id = SanitizedToken(value);
    } else if (key == "object-format") {
      format_name = value;
    }
  }
  if (format_name != FormatName(format_)) {
    return Error(Code::kInvalidArgument, "unsupported object format '" + Printable(format_name) +
                                             "': this repository uses " +
                                             std::string(FormatName(format_)));
  }
  return Ok();
}

Status PushRequestParser::OnPushOption(std::string_view option) {
  if (option.size() > limits_.push_option_bytes_max) {
    return TooMuch("long a push option");
  }
  if (request_.push_options.size() >= limits_.push_options_max) {
    return TooMuch("many push options");
  }
  request_.push_options.emplace_back(option);
  return Ok();
}

}  // namespace quorate::git
