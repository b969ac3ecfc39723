// What a server says before a client asks: the info/refs answers of v0 and v1, and v2's
// capabilities; and the answer to v2's ls-refs.
//
// The writers append to a string of the caller, who may send and clear it between two calls, so
// that a million references need no memory. References are added in this order: HEAD, then the
// others in byte order of their names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "git/fetch_request.h"
#include "git/object_id.h"
#include "git/protocol.h"

namespace quorate::git {

struct AdvertisementOptions {
  Service service = Service::kUploadPack;
  ProtocolVersion version = ProtocolVersion::kV0;  // kV0 or kV1; see AppendV2Capabilities().
  ObjectFormat format = ObjectFormat::kSha1;
  std::string agent{};               // "quorate/0.1.0".
  std::string session_id{};          // Not advertised if empty.
  std::string head_symref_target{};  // Of a symbolic HEAD that resolves; empty: detached or unborn.
  bool service_header = true;        // "# service=..." first, as smart HTTP wants it.
  bool stateless = true;             // HTTP: offers no-done to upload-pack clients.
  bool push_options = true;          // Offered to receive-pack clients.
};

// The v0 or v1 advertisement. Tags are peeled for upload-pack only, and HEAD is shown there only,
// as Git does it. A reference whose id is zero is left out.
class AdvertisementWriter {
 public:
  // Appends what comes before the references. `out` must outlive the writer.
  AdvertisementWriter(AdvertisementOptions options, std::string& out);

  void Add(const AdvertisedRef& ref);
  // The empty repository's line if nothing was added, and the flush. Once.
  void Finish();

 private:
  void AppendLine(const ObjectId& id, std::string_view name);
  std::string Capabilities() const;

  const AdvertisementOptions options_;
  std::string& out_;
  bool first_ = true;  // The line that carries the capabilities is still to come.
};

struct V2CapabilityOptions {
  ObjectFormat format = ObjectFormat::kSha1;
  std::string agent{};
  std::string session_id{};     // Not advertised if empty.
  bool service_header = false;  // Optional in v2; Git's own server leaves it out.
  bool filter = true;
  bool ref_in_want = false;  // Needs a view whose config allows it; ours do.
  bool object_info = true;
};

// The v2 answer to info/refs, for upload-pack (v2 knows no push: answer receive-pack as v0).
void AppendV2Capabilities(std::string& out, const V2CapabilityOptions& options);

// The response to ls-refs. Whatever matches no prefix of the request is left out, so the caller may
// offer every reference, or better, only those of MergedPrefixes().
class LsRefsWriter {
 public:
  // Both must outlive the writer.
  LsRefsWriter(const LsRefsRequest& request, std::string& out) : request_(request), out_(out) {}

  // A zero id is left out, unless it is an unborn HEAD and the client asked for that.
  void Add(const AdvertisedRef& ref);
  void Finish();

 private:
  bool Matches(std::string_view name) const;

  const LsRefsRequest& request_;
  std::string& out_;
  std::vector<std::string> merged_ = MergedPrefixes(request_);
};

}  // namespace quorate::git
