#include "git/advertisement.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "git/pkt_line.h"

namespace quorate::git {

namespace {

// An id, a name of 1024 bytes, capabilities and another such name fit a packet many times over.
constexpr std::size_t kNameBytesMax = 16 << 10;

constexpr std::string_view kUploadPackCapabilities =
    "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not "
    "deepen-relative no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want "
    "allow-reachable-sha1-in-want";
constexpr std::string_view kReceivePackCapabilities =
    "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta";

void AppendServiceHeader(std::string& out, Service service) {
  std::string line = "# service=";
  line.append(ServiceName(service));
  line.push_back('\n');
  AppendPacket(out, line);
  AppendFlush(out);
}

// Writes the packet's length in front of what was appended to `out` since `begin`.
void FillLength(std::string& out, std::size_t begin) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::size_t length = out.size() - begin;
  QUORATE_CHECK(length <= kPktLineBytesMax);
  for (std::size_t i = 0; i < 4; ++i) {
    out[begin + i] = kDigits[length >> (12 - 4 * i) & 15];
  }
}

}  // namespace

AdvertisementWriter::AdvertisementWriter(AdvertisementOptions options, std::string& out)
    : options_(std::move(options)), out_(out) {
  QUORATE_CHECK(options_.version != ProtocolVersion::kV2);
  if (options_.service_header) {
    AppendServiceHeader(out_, options_.service);
  }
  if (options_.version == ProtocolVersion::kV1) {
    AppendPacket(out_, "version 1\n");
  }
}

void AdvertisementWriter::Add(const AdvertisedRef& ref) {
  QUORATE_CHECK(ref.name.size() <= kNameBytesMax);
  const bool upload = options_.service == Service::kUploadPack;
  if (ref.id.IsZero() || (!upload && ref.name == "HEAD")) {
    return;
  }
  AppendLine(ref.id, ref.name);
  if (upload && ref.peeled) {
    const std::size_t begin = out_.size();
    out_.append("0000");
    AppendHex(out_, *ref.peeled);
    out_.push_back(' ');
    out_.append(ref.name);
    out_.append("^{}\n");
    FillLength(out_, begin);
  }
}

void AdvertisementWriter::Finish() {
  if (first_) {
    AppendLine(ObjectId::Zero(options_.format), "capabilities^{}");
  }
  AppendFlush(out_);
}

void AdvertisementWriter::AppendLine(const ObjectId& id, std::string_view name) {
  const std::size_t begin = out_.size();
  out_.append("0000");
  AppendHex(out_, id);
  out_.push_back(' ');
  out_.append(name);
  if (std::exchange(first_, false)) {
    out_.push_back('\0');
    out_.append(Capabilities());
  }
  out_.push_back('\n');
  FillLength(out_, begin);
}

std::string AdvertisementWriter::Capabilities() const {
  std::string list;
  if (options_.service == Service::kUploadPack) {
    list = kUploadPackCapabilities;
    if (options_.stateless) {
      list += " no-done";
    }
    if (!options_.head_symref_target.empty()) {
      list += " symref=HEAD:" + options_.head_symref_target;
    }
    list += " filter";
  } else {
    list = kReceivePackCapabilities;
    if (options_.push_options) {
      list += " push-options";
    }
  }
  if (!options_.session_id.empty()) {
    list += " session-id=" + options_.session_id;
  }
  list.append(" object-format=").append(FormatName(options_.format));
  list += " agent=" + options_.agent;
  return list;
}

void AppendV2Capabilities(std::string& out, const V2CapabilityOptions& options) {
  if (options.service_header) {
    AppendServiceHeader(out, Service::kUploadPack);
  }
  AppendPacket(out, "version 2\n");
  AppendPacket(out, "agent=" + options.agent + "\n");
  AppendPacket(out, "ls-refs=unborn\n");
  std::string fetch = "fetch=shallow wait-for-done";
  if (options.filter) {
    fetch += " filter";
  }
  if (options.ref_in_want) {
    fetch += " ref-in-want";
  }
  AppendPacket(out, fetch + "\n");
  AppendPacket(out, "server-option\n");
  AppendPacket(out, "object-format=" + std::string(FormatName(options.format)) + "\n");
  if (!options.session_id.empty()) {
    AppendPacket(out, "session-id=" + options.session_id + "\n");
  }
  if (options.object_info) {
    AppendPacket(out, "object-info\n");
  }
  AppendFlush(out);
}

void LsRefsWriter::Add(const AdvertisedRef& ref) {
  QUORATE_CHECK(ref.name.size() <= kNameBytesMax);
  QUORATE_CHECK(ref.symref_target.size() <= kNameBytesMax);
  if (!Matches(ref.name)) {
    return;
  }
  const bool unborn = ref.id.IsZero();
  if (unborn &&
      (ref.name != "HEAD" || ref.symref_target.empty() || !request_.unborn || !request_.symrefs)) {
    return;
  }
  const std::size_t begin = out_.size();
  out_.append("0000");
  if (unborn) {
    out_.append("unborn");
  } else {
    AppendHex(out_, ref.id);
  }
  out_.push_back(' ');
  out_.append(ref.name);
  if (request_.symrefs && !ref.symref_target.empty()) {
    out_.append(" symref-target:");
    out_.append(ref.symref_target);
  }
  if (request_.peel && ref.peeled && !unborn) {
    out_.append(" peeled:");
    AppendHex(out_, *ref.peeled);
  }
  out_.push_back('\n');
  FillLength(out_, begin);
}

void LsRefsWriter::Finish() {
  AppendFlush(out_);
}

// The merged prefixes are disjoint, so only the greatest that is not above the name can match.
bool LsRefsWriter::Matches(std::string_view name) const {
  const auto after = std::upper_bound(
      merged_.begin(), merged_.end(), name,
      [](std::string_view left, const std::string& right) { return left < right; });
  return after != merged_.begin() && name.starts_with(*std::prev(after));
}

}  // namespace quorate::git
