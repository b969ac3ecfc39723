// The head of a protocol v2 request, and the arguments of ls-refs.
//
//   request = "command=" name *capability (delimiter *argument flush | flush)
//
// Pure and incremental, bounded by limits. The bytes of the head are kept as they came, for the
// cases (fetch, object-info) in which a `git upload-pack` child is to read the whole request.
//
// Requests of v0 and v1 are passed on unread, but for their first packet (UploadRequestProbe).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/pkt_line.h"

namespace quorate::git {

enum class V2Command : std::uint8_t { kNone, kLsRefs, kFetch, kObjectInfo };

struct V2RequestHead {
  V2Command command = V2Command::kNone;  // kNone: a flush only; the client ends the conversation.
  bool has_arguments = false;            // It ended with a delimiter; arguments and a flush follow.
  std::vector<std::string> server_options{};
  std::string agent{};  // Both sanitised.
  std::string session_id{};
};

class V2RequestParser {
 public:
  explicit V2RequestParser(ObjectFormat format) : format_(format) {}

  // Uses bytes from the front of `input`, all of them unless the head is complete: then what is
  // left in `input` are its arguments.
  //   kInvalidArgument     not a v2 request, an unknown command or capability, another object
  //   format; kResourceExhausted   the head is longer than 64 KiB.
  // The message is fit for an ERR packet. After an error the parser is useless.
  Status Feed(std::string_view& input);

  bool complete() const { return complete_; }
  // The body has ended. kInvalidArgument if that is within the head; no bytes at all are kNone.
  Status Finish();

  const V2RequestHead& head() const { return head_; }
  // All bytes used so far.
  const std::string& bytes() const { return bytes_; }

 private:
  Status OnPacket(const Packet& packet);
  Status OnLine(std::string_view line);
  Status OnCommand(std::string_view name);
  Status OnEnd();

  const ObjectFormat format_;
  PktLineDecoder decoder_;
  bool complete_ = false;
  bool seen_line_ = false;
  ObjectFormat client_format_ = ObjectFormat::kSha1;  // What a silent client means.
  V2RequestHead head_;
  std::string bytes_;
};

struct LsRefsRequest {
  bool peel = false;
  bool symrefs = false;
  bool unborn = false;
  std::vector<std::string> prefixes{};  // None: every reference.
};

// More prefixes than this are as good as none: all references are sent, and the client filters.
inline constexpr std::size_t kRefPrefixesMax = 65536;

// The prefixes sorted, without those that another covers: disjoint ranges of the reference store,
// in its order. {""} if there are none.
std::vector<std::string> MergedPrefixes(const LsRefsRequest& request);

class LsRefsParser {
 public:
  // As V2RequestParser::Feed; begins after the head's delimiter. At most 16 MiB.
  Status Feed(std::string_view& input);
  bool complete() const { return complete_; }
  // The body has ended. kInvalidArgument unless complete.
  Status Finish() const;

  const LsRefsRequest& request() const { return request_; }

 private:
  Status OnArgument(std::string_view argument);

  PktLineDecoder decoder_;
  bool complete_ = false;
  bool too_many_prefixes_ = false;
  std::size_t argument_bytes_ = 0;
  LsRefsRequest request_;
};

// What a v0 or v1 upload-pack request turns out to be, from its first packet.
class UploadRequestProbe {
 public:
  enum class Kind : std::uint8_t {
    kNeedsMore,  // The first packet is not complete.
    kFlushOnly,  // Nothing is wanted (or it is Git's probe): answer with an empty body.
    kNegotiation,
  };

  explicit UploadRequestProbe(ObjectFormat format) : format_(format) {}

  // `begin` is all that came so far. kInvalidArgument: not a pkt-line, or a client that means
  // another object format, which `git upload-pack` would not notice; fit for an ERR packet.
  Status Look(std::string_view begin);

  Kind kind() const { return kind_; }
  // Sanitised; empty if the client sent none.
  const std::string& session_id() const { return session_id_; }

 private:
  const ObjectFormat format_;
  Kind kind_ = Kind::kNeedsMore;
  std::string session_id_;
};

}  // namespace quorate::git
