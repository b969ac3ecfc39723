#include "git/push_report.h"

#include <algorithm>

#include "git/pkt_line.h"

namespace quorate::git {

namespace {

constexpr std::size_t kReasonBytesMax = 1000;

// A reason is the rest of a line.
std::string OneLine(std::string_view reason) {
  std::string line(reason.substr(0, kReasonBytesMax));
  while (line.ends_with('\n')) {
    line.pop_back();
  }
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return line;
}

void AppendLine(std::string& out, std::string_view keyword, std::string_view rest) {
  std::string line(keyword);
  line.append(rest.substr(0, kPktPayloadBytesMax - kReasonBytesMax - keyword.size() - 2));
  line.push_back('\n');
  AppendPacket(out, line);
}

void AppendRefusal(std::string& out, const CommandReport& command) {
  std::string line = command.ref.substr(0, kPktPayloadBytesMax - kReasonBytesMax - 8);
  line.push_back(' ');
  line.append(OneLine(command.refusal));
  AppendPacket(out, "ng " + line + "\n");
}

void AppendOptions(std::string& out, const CommandReport& command) {
  if (command.actual_ref) {
    AppendLine(out, "option refname ", *command.actual_ref);
  }
  if (command.actual_old_id) {
    AppendLine(out, "option old-oid ", command.actual_old_id->ToHex());
  }
  if (command.actual_new_id) {
    AppendLine(out, "option new-oid ", command.actual_new_id->ToHex());
  }
  if (command.forced_update) {
    AppendLine(out, "option forced-update", {});
  }
}

std::string RenderLines(bool with_options, const PushReport& report) {
  std::string lines;
  lines.reserve(64 + report.commands.size() * 64);
  AppendLine(lines, "unpack ", report.unpack_error.empty() ? "ok" : OneLine(report.unpack_error));
  for (const CommandReport& command : report.commands) {
    if (!command.refusal.empty()) {
      AppendRefusal(lines, command);
      continue;
    }
    AppendLine(lines, "ok ", command.ref);
    if (with_options) {
      AppendOptions(lines, command);
    }
  }
  AppendFlush(lines);
  return lines;
}

}  // namespace

std::string RenderPushReport(const PushCapabilities& capabilities, const PushReport& report) {
  std::string lines;
  if (capabilities.report_status) {
    lines = RenderLines(capabilities.report_status_v2, report);
  }
  if (!capabilities.side_band_64k) {
    return lines;
  }
  std::string out;
  out.reserve(lines.size() + lines.size() / kSidebandBytesMax * 5 + 16);
  AppendSideband(out, Band::kData, lines);
  AppendFlush(out);
  return out;
}

std::string RenderPushFailure(const PushCapabilities& capabilities, std::string_view message) {
  std::string out;
  if (!capabilities.side_band_64k) {
    AppendErrorPacket(out, message);
    return out;
  }
  AppendSideband(out, Band::kError, OneLine(message) + "\n");
  AppendFlush(out);
  return out;
}

}  // namespace quorate::git
